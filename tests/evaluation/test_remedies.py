"""Remedies are called for by failed checks alone, and reach what is exactly known."""

import json
from importlib import import_module

import pytest
import torch
from torch import Generator, nn
from typer.testing import CliRunner

import robustinfo
from robustinfo.attacks._gradient_safe import GradientSafe
from robustinfo.cli import app
from robustinfo.core.measurement import fraction
from robustinfo.evaluation import remedies
from robustinfo.evaluation.batches import Batches
from robustinfo.evaluation.by_protocol import evaluate_by_protocol
from robustinfo.evaluation.checks import BY_NAME
from robustinfo.evaluation.document import _after
from robustinfo.evaluation.finished import Finished
from robustinfo.evaluation.printing import headline, lines_of_remedies
from robustinfo.evaluation.progress import Tally
from robustinfo.evaluation.remedies import ANSWERS, GRADIENTS, _mounting
from robustinfo.evaluation.remedies._mounting import (
    after_remedies,
    bound,
    called_for,
    names,
    remedy,
)
from robustinfo.evaluation.remedies._straight_through import FromInside, StraightThrough
from robustinfo.evaluation.remedies._votes import VOTES, outvoted
from robustinfo.evaluation.sizes import Size
from robustinfo.evaluation.task import Task
from robustinfo.evaluation.threats import Ball
from robustinfo.evaluation.verdict import judge
from tests.evaluation.defects.defect import Before
from tests.evaluation.planted import Rounded, Times, through_numpy

SIZE = Size("own", 40, 5, 1, 20, 0, 10, 4, False)
BALL = Ball(norm="linf", epsilon=0.05)
SHAPE, CLASSES, N = (1, 6, 6), 4, 40


def linear():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(36, CLASSES))
    network[1].bias.data.zero_()
    return network


def images():
    x = torch.rand(N, *SHAPE, generator=Generator().manual_seed(1))
    return x, linear()(x).argmax(1)


def truly_robust():
    """Of a linear network the worst margin in the ball is known: (n,) bool."""
    (x, y), weight = images(), linear()[1].weight.detach()
    low, high = (
        (x.flatten(1) - BALL.epsilon).clamp(min=0),
        (x.flatten(1) + BALL.epsilon).clamp(max=1),
    )
    robust = torch.ones(N, dtype=torch.bool)
    for other in range(CLASSES):
        slope = weight[other] - weight[y]
        worst = torch.where(slope > 0, high, low)
        lead = (slope * worst).sum(1) + linear()[1].bias[other] - linear()[1].bias[y]
        robust &= (lead < 0) | (y == other)
    return robust


class Strict(nn.Module):
    """Refuses what is no image, as a decoder does."""

    def __init__(self):
        super().__init__()
        self.network = linear()

    def forward(self, x):
        if x.min() < 0 or x.max() > 1:
            raise ValueError("no image")
        return self.network(x)


def mounted(network, *called, ball=BALL, by="asked"):
    x, y = images()
    task = Task(GradientSafe(network).eval(), None, {}, {}, ball, 0, Finished())
    source = Batches(x, y, 30, torch.device("cpu"))
    tally = Tally(lambda step: None, {}, 1.0)
    reasons = {name: (by,) for name in called}
    return after_remedies(task, source, reasons, torch.ones(N, dtype=torch.bool), tally)


def sixteenths(x):
    """A cast to whole numbers of a picture whose values are 1e-4 apart: as good as the identity."""
    return (1e4 * x).to(torch.int32).float() / 1e4


FRONTS = {
    "detached": torch.Tensor.detach, "rounded": Rounded.apply, "numpy": through_numpy,
    "cast": sixteenths,
}  # fmt: skip


@pytest.mark.parametrize("front", FRONTS.values(), ids=FRONTS)
def test_bpda_finds_whatever_can_be_found_behind_a_front_without_a_gradient(front):
    left = mounted(Before(front, linear()), "bpda").robust
    assert 0.2 < truly_robust().double().mean() < 0.8
    assert torch.equal(left, truly_robust())


@pytest.mark.parametrize("factor", [1e-30, 1.0, 1e4, 1e30])
@pytest.mark.parametrize("end", [nn.Identity, lambda: nn.Softmax(1)], ids=["logits", "softmax"])
def test_no_scale_and_no_softmax_hides_an_error_from_scale_free_losses(factor, end):
    network = nn.Sequential(Times(linear(), factor), end())
    left = mounted(network, "scale_free_losses").robust
    # Probabilities of tiny logits are equal within rounding: there nothing is surely turned.
    blind = factor < 1 and isinstance(network[1], nn.Softmax)
    assert torch.equal(left, torch.ones(N, dtype=torch.bool) if blind else truly_robust())


@pytest.mark.parametrize("name", ["smoothed_gradient", "longer_search"])
def test_searches_find_whatever_can_be_found(name):
    assert torch.equal(mounted(linear(), name).robust, truly_robust())


@pytest.mark.parametrize("name", names())
def test_no_remedy_shows_the_network_what_is_no_image(name):
    assert mounted(Strict(), name).remedies[name].not_made == ""


def test_a_distilled_copy_finds_nearly_all_and_nothing_else():
    left = mounted(Before(through_numpy, linear()), "distilled_copy").robust
    assert not (truly_robust() & ~left).any()
    assert (left & ~truly_robust()).double().mean() < 0.15


class Wavering(nn.Module):
    """A network whose logits draw noise."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        logits = self.network(x)
        return logits + 0.02 * torch.randn_like(logits)


@pytest.mark.parametrize("name", ["eot", "autoattack_rand"])
def test_a_randomised_network_is_broken_where_its_majority_is(name):
    after = mounted(Wavering(linear()), name, by="forwards_differ_fraction")
    assert after.votes == VOTES and after.vote_error == pytest.approx(0.5 / VOTES**0.5)
    # The majority is that of the linear network; only ties within two errors stay.
    assert not (truly_robust() & ~after.robust).any()
    assert (after.robust & ~truly_robust()).double().mean() < 0.15


class Coin(nn.Module):
    """Class 1 with a probability, else class 0."""

    def __init__(self, probability):
        super().__init__()
        self.probability = probability

    def forward(self, x):
        return nn.functional.one_hot((torch.rand(len(x)) < self.probability).long(), 2).float()


@pytest.mark.parametrize("probability, low, high", [(0.5, 0.0, 0.05), (0.8, 0.99, 1.0), (0, 0, 0)])
def test_a_vote_turns_an_image_only_where_luck_cannot(probability, low, high):
    torch.manual_seed(0)
    x, y = torch.zeros(2000, 1, 1, 1), torch.zeros(2000, dtype=torch.long)
    assert low <= outvoted(Coin(probability), x, y).double().mean() <= high


@pytest.mark.parametrize("kind", [StraightThrough, lambda net: FromInside(net, images()[0][:1])])
def test_a_stand_in_answers_as_the_network_does_bit_for_bit(kind):
    network, (x, _) = Before(sixteenths, linear()), images()
    assert torch.equal(kind(network)(x.clone().requires_grad_()), network(x))


def failing(*checks):
    measured = [fraction(name, torch.ones(64, dtype=torch.bool)) for name in checks]
    return judge(measured, CLASSES).failed_checks()


def test_each_failed_check_calls_for_its_remedies_and_no_other_check_does():
    assert called_for(failing()) == {}
    assert [*called_for(failing("hidden_fraction"))] == ["scale_free_losses"]
    assert called_for(failing("adaptive_only_fraction")) == {
        "adaptive_restarts": ("adaptive_only_fraction",)
    }
    random = called_for(failing("forwards_differ_fraction", "flat_fraction"))
    assert {*random} == {"eot", "autoattack_rand", "distilled_copy"}


@pytest.mark.parametrize("name", names())
def test_every_remedy_keeps_the_contract_of_its_folder(name):
    module = remedy(name)
    assert module.CALLED_BY and {*module.CALLED_BY} <= {*BY_NAME}
    assert {type(module.RANDOMISED), type(module.UNTIL_FLAT)} == {bool}
    assert all(hasattr(module, wanted) for wanted in vars(remedies.Remedy)["__annotations__"])
    assert {*module.ACCESS} <= {GRADIENTS, ANSWERS} and module.ACCESS
    cost = module.cost(SIZE, BALL)
    assert all(0 < sum(cost) < sum(bound(SIZE, BALL, access)) for access in module.ACCESS)


def test_a_remedy_that_cannot_be_made_says_why():
    ball = Ball(norm="l2", epsilon=0.1)
    network = nn.Sequential(nn.Flatten(), nn.Linear(36, 2))
    x, _ = images()
    task = Task(GradientSafe(network).eval(), None, {}, {}, ball, 0, Finished())
    source = Batches(x.view(N, 1, 4, 9), network(x).argmax(1), 30, torch.device("cpu"))
    tally = Tally(lambda step: None, {}, 1.0)
    robust = torch.ones(N, dtype=torch.bool)
    after = after_remedies(task, source, {"longer_search": ("asked",)}, robust, tally)
    assert "at least 5 pixels" in after.remedies["longer_search"].not_made
    assert after.robust.all() and after.made == []


class FailsLater(nn.Module):
    """Fails as soon as a gradient is wanted of more than one image."""

    def __init__(self):
        super().__init__()
        self.network = linear()

    def forward(self, x):
        if torch.is_grad_enabled() and x.requires_grad and len(x) > 1:
            raise TypeError("no gradients here")
        return self.network(x)


def test_a_network_that_fails_under_a_remedy_keeps_its_verdict():
    after = mounted(FailsLater(), "smoothed_gradient")
    assert after.remedies["smoothed_gradient"].not_made == "TypeError: no gradients here"
    assert after.robust.all()


class Counted(nn.Module):
    """Counts the images that it and its copies are asked for; may hide its gradient."""

    asked = 0

    def __init__(self, *, hides):
        super().__init__()
        self.network, self.hides = linear(), hides

    def forward(self, x):
        Counted.asked += len(x)
        return self.network(x.detach() if self.hides else x)


class Killed(BaseException):
    pass


def evaluated(*, hides, wanted=True, folder=None, stop_at=""):
    network, (x, y) = Counted(hides=hides).eval(), images()
    Counted.asked = 0

    def progress(step):
        if stop_at and step.work.startswith(stop_at):
            raise Killed

    try:
        found = evaluate_by_protocol(
            SIZE, network, x, y, classes=CLASSES, ball=BALL, remedies=wanted, batch_size=30,
            finished=Finished(folder, {"seed": 0}), progress=progress,
        )  # fmt: skip
    except Killed:
        found = None
    return found, Counted.asked


def test_an_honest_network_is_asked_nothing_more():
    with_remedies, asked = evaluated(hides=False)
    without, asked_before = evaluated(hides=False, wanted=False)
    assert with_remedies.after_remedies is None and asked == asked_before
    assert torch.equal(with_remedies.robust, without.robust)


@pytest.fixture
def two_remedies(monkeypatch):
    """The others take their time."""
    monkeypatch.setattr(_mounting, "names", lambda: ["scale_free_losses", "bpda"])


def test_the_verdict_stays_and_the_accuracy_after_remedies_stands_beside_it(two_remedies):
    found, _ = evaluated(hides=True)
    after = found.after_remedies
    assert found.verdict == "masked" and found.robust_accuracy > after.accuracy + 0.2
    assert [*after.remedies] == ["scale_free_losses", "bpda"]
    assert torch.equal(after.robust, truly_robust())
    broken = torch.stack([one.broken for one in after.remedies.values()])
    assert (broken.sum(0) <= 1).all()
    assert torch.equal(found.robust & ~broken.any(0), after.robust)
    assert [one.split(" images")[0] for one in lines_of_remedies(found)] == [
        f"remedy {name} broke {int(one.broken.sum())}" for name, one in after.remedies.items()
    ]
    assert f"after remedies ({', '.join(after.remedies)}) {after.accuracy:.1%}" in headline(found)
    content = _after(after)
    assert content["accuracy"] == truly_robust().double().mean()
    assert sum(len(one["broken"]) for one in content["remedies"].values()) == int(broken.sum())
    assert evaluated(hides=True, wanted=False)[0].after_remedies is None


def test_killed_at_a_remedy_it_goes_on_to_the_same_bits(tmp_path, two_remedies):
    whole, asked = evaluated(hides=True)
    assert evaluated(hides=True, folder=tmp_path, stop_at="remedy bpda")[0] is None
    again, less = evaluated(hides=True, folder=tmp_path)
    assert less < asked
    assert torch.equal(again.after_remedies.robust, whole.after_remedies.robust)
    for name, one in whole.after_remedies.remedies.items():
        assert torch.equal(one.broken, again.after_remedies.remedies[name].broken)


@pytest.mark.parametrize(
    "flags, wanted", [([], None), (["--no-remedies"], False), (["--remedies"], True)]
)
def test_the_command_makes_remedies_unless_told_otherwise(flags, wanted, monkeypatch):
    asked = []
    monkeypatch.setattr(
        import_module("robustinfo.cli.judge"), "_print_verdict", lambda one: asked.append(one) or 0
    )
    given = ["judge", "mine:net", "--data", "digits", "--epsilon", "0.1", *flags]
    assert CliRunner().invoke(app, given).exit_code == 0
    assert [one.remedies for one in asked] == [wanted]


def test_a_program_gets_them_by_default(two_remedies):
    (x, y), network = images(), Before(torch.Tensor.detach, linear()).eval()
    options = {"epsilon": BALL.epsilon, "classes": CLASSES, "protocol": "tiny", "attacks": ["pgd"]}
    found = robustinfo.judge(network, x, y, device="cpu", **options)
    assert torch.equal(found.after_remedies.robust, truly_robust())
    assert json.loads(found.to_json())["after_remedies"]["accuracy"] < found.robust_accuracy
    assert "after remedies" in repr(found)
    without = robustinfo.judge(network, x, y, device="cpu", remedies=False, **options)
    assert without.after_remedies is None and without.to_dict()["after_remedies"] is None
