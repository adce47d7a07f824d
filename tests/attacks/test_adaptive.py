"""An attack on a term of the defence's own, beside PGD with the same starts."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from robustinfo.attacks import _objectives, adaptive, pgd
from robustinfo.defences import entropic
from robustinfo.models import lenet5

SETTINGS = {"epsilon": 0.02, "step_size": 0.01, "steps": 5}
BALLS = {
    "linf": {"norm": "linf", "epsilon": 0.05, "step_size": 0.01},
    "l2": {"norm": "l2", "epsilon": 0.5, "step_size": 0.1},
}
NORMS = pytest.mark.parametrize("norm", BALLS)


def run(attack, model, x, y, seed=1, term=None, **settings):
    generator = torch.Generator().manual_seed(seed)
    given = {"term": term} if attack is adaptive else {}
    config = attack.Config(**settings)
    return *attack.perturb(model, x, y, config=config, generator=generator, **given), generator


@pytest.fixture(scope="module")
def defended():
    """LeNet-5 with the term of entropic retraining, and images about its boundaries."""
    torch.manual_seed(0)
    model = lenet5.build((1, 28, 28), 10, config=lenet5.Config()).eval()
    x = torch.rand(48, 1, 28, 28)
    model.fc3.weight.data *= 20
    model.fc3.bias.data -= model(x).detach().mean(0)
    y = model(x).argmax(1)
    config = entropic.Config(loss={"method": "cross_entropy"}, weight=5.0, factor=2.0)
    state = {"pretrained_flow": torch.tensor(1.3)}
    return model, x, y, partial(entropic.attack_term, model, config=config, state=state)


BALL = {"epsilon": 0.005, "step_size": 0.001, "steps": 6, "restarts": 2}


@pytest.mark.parametrize("objective", ["cross_entropy", "margin"])
@pytest.mark.parametrize("norm, epsilon", [("linf", 0.005), ("l2", 0.1)])
def test_the_weight_0_finds_exactly_what_pgd_on_the_same_objective_finds(
    objective, norm, epsilon, defended
):
    *problem, term = defended
    ball = {"norm": norm, "epsilon": epsilon, "step_size": epsilon / 5, "steps": 6, "restarts": 2}
    for given in (term, None):
        x_adv, success, after = run(
            adaptive, *problem, term=given, weights=[0.0], objectives=[objective], **ball
        )
        alone = run(pgd, *problem, objective=objective, until="fooled", **ball)
        assert success.equal(alone[1]) and x_adv.equal(alone[0])
        assert after.get_state().equal(alone[2].get_state())
        assert success.equal(run(pgd, *problem, objective=objective, **ball)[1])
        assert success.any() and not success.all()


@pytest.mark.parametrize("seed", range(3))
def test_by_default_it_never_finds_less_than_pgd_of_its_steps_and_restarts(seed, defended):
    *problem, term = defended
    known = run(adaptive, *problem, seed=seed, term=term, **BALL)[1]
    plain = run(pgd, *problem, seed=seed, **BALL)[1]
    assert known[plain].all() and plain.any() and not plain.all()


@NORMS
@pytest.mark.parametrize("name", ["mlp", "resnet18", "wide_resnet"])
def test_so_it_is_on_a_network_without_a_term(name, norm, problem):
    model, x, y = problem(name)
    settings = BALLS[norm] | {"steps": 4, "restarts": 2}
    known = run(adaptive, model, x, y, **settings)[1]
    plain = run(pgd, model, x, y, **settings)[1]
    on_margin = run(pgd, model, x, y, objective="margin", **settings)[1]
    assert plain.any() and known[plain].all() and known[on_margin].all()


class Counted:
    """A term that says how often it was asked."""

    def __init__(self, model, value):
        self.model, self.value, self.asked = model, value, 0

    def __call__(self, x, y):
        self.asked += 1
        return self.model(x), self.value(x)


def test_the_cost_is_the_one_it_states(two_classes):
    p = two_classes
    term = Counted(p.model, lambda x: x.sum())
    still = {"epsilon": 0.0, "step_size": 0.0, "steps": 3, "restarts": 2}
    assert not run(adaptive, p.model, p.x, p.y, term=term, **still)[1].any()
    assert adaptive.RUNS == 14
    assert term.asked == (adaptive.RUNS - 2) * 2 * 3  # those with another weight than 0


def test_the_parts_count_by_their_weights_however_steep_they_are(two_classes):
    """A term along the first pixel, 1e6 times or 1e-30 times as steep as the loss, is as long."""
    p = two_classes
    x, y = p.x.clone().requires_grad_(), p.y
    loss = F.cross_entropy(p.model(x), y, reduction="sum")
    along = F.normalize(torch.autograd.grad(loss, x)[0].flatten(1))
    for steepness in (1e6, 1.0, 1e-30):
        for weight in (0.1, -1.0, 10.0):

            def term(x, y, steepness=steepness):
                return p.model(x), steepness * x[:, 0, 0, 0].sum()

            _, total = adaptive._normalised_sum(
                term, weight, _objectives.cross_entropy, p.model, x, y
            )
            expected = along.clone()
            expected[:, 0] += weight
            found = torch.autograd.grad(total, x)[0].flatten(1)
            torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("value", [0.0, torch.nan])
def test_a_gradient_that_is_0_or_no_number_leaves_the_other_part_alone(value, two_classes):
    p = two_classes
    for weight in (1.0, -1.0):
        term = Counted(p.model, lambda x: (value * x).sum())
        found = run(adaptive, p.model, p.x, p.y, term=term, weights=[weight],
                    objectives=["cross_entropy"], **SETTINGS)  # fmt: skip
        alone = run(pgd, p.model, p.x, p.y, **SETTINGS)
        assert found[1].equal(alone[1]) and found[1].any() and not found[1].all()


def test_a_term_that_does_not_depend_on_the_image_is_none(two_classes):
    p, weight = two_classes, torch.ones(1, requires_grad=True)
    term = Counted(p.model, lambda _: weight.square().sum())
    found = run(adaptive, p.model, p.x, p.y, term=term, **SETTINGS)[1]
    assert found.equal(run(pgd, p.model, p.x, p.y, **SETTINGS)[1]) and found.any()


@NORMS
def test_a_loss_that_is_flat_but_for_the_term_falls_to_the_term(norm):
    """The logits are rounded, and the term shows the way to the other class: up or down."""

    class Rounded(nn.Module):
        def forward(self, x):
            height = 8 * x.flatten(1).mean(1)
            return torch.stack([0 * height + 4.5, height + (height.round() - height).detach()], 1)

    class Flat(Rounded):
        def forward(self, x):
            return super().forward(x.detach()) + 0 * x.flatten(1).sum(1, keepdim=True)

    model, x, y = Flat(), torch.full((4, 1, 4, 4), 0.5), torch.zeros(4, dtype=torch.int64)
    settings = BALLS[norm] | {"epsilon": 0.1 if norm == "linf" else 0.4, "steps": 20}
    settings |= {"random_start": False}
    for sign in (1, -1):
        term = Counted(model, lambda x, sign=sign: sign * x.mean())
        assert run(adaptive, model, x, y, term=term, **settings)[1].all()
        one = run(adaptive, model, x, y, term=term, weights=[1.0], **settings)[1]
        assert one.all() == (sign > 0)  # one weight knows but one direction
    assert not run(pgd, model, x, y, **settings)[1].any()


def test_one_fixed_weight_finds_less_than_pgd_where_the_term_leads_elsewhere(defended):
    """The planted defect: what an adaptive attack with a single weight may be."""
    *problem, term = defended
    plain = run(pgd, *problem, **BALL)[1]
    planted = {"weights": [10.0], "objectives": ["cross_entropy"]}
    assert run(adaptive, *problem, term=term, **BALL, **planted)[1].sum() < plain.sum()


def test_a_step_that_fools_counts_although_the_objective_leads_away_from_it(two_classes):
    p = two_classes
    steps = iter(range(100))

    def away(x, y):
        lead = p.model(x).gather(1, y[:, None]).sum()
        return p.model(x), 0 * lead if next(steps) < 2 else lead

    settings = {"steps": 4, "random_start": False, "weights": [10.0]}
    _, success, _ = run(adaptive, p.model, p.x, p.y, term=away, **SETTINGS | settings,
                        objectives=["cross_entropy"])  # fmt: skip
    reach = 0.02 * (p.weight[0] - p.weight[1]).norm(p=1)
    assert success.equal((p.model(p.x)[:, 0] - p.model(p.x)[:, 1]).abs() < reach)
    assert success.any() and not success.all()


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"weights": []}, "weights"),
        ({"weights": [1.0, 1.0]}, "`weights` has one entry twice: 1.0, 1.0"),
        ({"weights": [float("inf")]}, "finite"),
        ({"objectives": ["cross_entropy", "cross_entropy"]}, "`objectives` has one entry twice"),
        ({"objectives": ["accuracy"]}, "margin"),
        ({"term_weight": 1.0}, "term_weight"),
    ],
)
def test_what_cannot_be_climbed_is_refused(bad, says):
    with pytest.raises(ValueError, match=says):
        adaptive.Config(**SETTINGS, **bad)
