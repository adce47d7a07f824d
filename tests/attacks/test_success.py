"""Who is fooled at a tie, where rounding decides and another batch size decides otherwise."""

import pytest
import torch
from torch import nn

from robustinfo.attacks import deepfool, fab, hop_skip_jump, pgd, square
from robustinfo.attacks._success import ROUNDING, clearly_fooled, fooled, keep_successes, lead
from robustinfo.evaluation.attacks import Attack, run_attack, verify_success
from robustinfo.evaluation.threats import Threat

UNIT = torch.finfo(torch.float32).eps


class Coarse(nn.Module):
    """Class 1 where the mean is above 1/2, by less than a float32 logit of 10,000 can show."""

    def forward(self, x):
        mean = x.flatten(1).mean(1)
        return 1e4 + 1e-6 * torch.stack([0.5 - mean, mean - 0.5], 1)


class Single(Coarse):
    """The same in float32, whatever it is given: no copy knows more."""

    def forward(self, x):
        return super().forward(x.float())


class Uncopied(Coarse):
    def __deepcopy__(self, memo):
        raise RuntimeError("handles of a library")


class Told(nn.Module):
    """Logits as they are given, whatever the image."""

    def __init__(self, *logits):
        super().__init__()
        self.logits = torch.tensor([logits])

    def forward(self, x):
        return self.logits.to(x).expand(len(x), -1)


def greys(*levels):
    return torch.tensor(levels)[:, None, None, None].expand(-1, 1, 4, 4).contiguous()


def test_where_float32_shows_a_tie_a_float64_copy_tells_who_leads():
    x, y = greys(0.25, 0.5, 0.75), torch.tensor([0, 0, 0])
    assert Coarse()(x).unique().numel() == 1
    assert lead(Coarse(), x, y).sign().tolist() == [-1, 0, 1]
    assert fooled(Coarse(), x, 1 - y).tolist() == [True, False, False]


@pytest.mark.parametrize("model", [Single(), Uncopied()])
def test_where_there_is_no_finer_copy_a_tie_fools_nobody_of_either_label(model):
    x = greys(0.25, 0.5, 0.75)
    for label in (0, 1):
        y = torch.full((3,), label)
        assert not fooled(model, x, y).any() and not lead(model, x, y).any()


def test_a_copy_that_answers_otherwise_by_more_than_rounding_is_no_witness():
    class Other(nn.Module):
        """Another function in float64 than in float32."""

        def forward(self, x):
            far = 1.0 if x.dtype == torch.double else 0.0
            return torch.stack([0 * x[:, 0, 0, 0], far + 0 * x[:, 0, 0, 0]], 1)

    x, y = greys(0.5), torch.tensor([0])
    assert Other()(x.double()).argmax(1) == 1
    assert not fooled(Other(), x, y)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e6])
def test_a_lead_beyond_rounding_needs_no_copy_and_one_within_is_none_at_every_scale(scale):
    x, y = greys(0.5), torch.tensor([0])
    for units, expected in ((2 * ROUNDING, True), (ROUNDING / 2, False), (-2 * ROUNDING, False)):
        logits = scale * torch.tensor([[1.0, 1.0 + units * UNIT, -1.0]])
        assert clearly_fooled(logits, y).item() is expected
    model = Told(scale, scale * (1 + ROUNDING / 2 * UNIT))
    assert fooled(model, x, y)  # which float64 shows, too


@pytest.mark.parametrize("classes", [2, 3])
def test_logits_that_are_equal_fool_nobody_whichever_class_argmax_names(classes):
    x, model = greys(0.5), Told(*[0.3] * classes)
    for label in range(classes):
        y = torch.tensor([label])
        assert (
            not fooled(model, x, y)
            and not keep_successes(model, x, y, x, norm="l2", epsilon=1.0)[1]
        )


def test_masked_classes_and_missing_numbers_are_told_as_argmax_tells_them():
    x, inf, nan = greys(0.5), torch.inf, torch.nan
    for logits in ((-inf, 1.0, 2.0), (nan, 1.0, 2.0), (inf, 1.0, 2.0), (1.0, nan, nan)):
        for label in range(3):
            y = torch.tensor([label])
            expected = Told(*logits)(x).argmax(1) != y
            assert fooled(Told(*logits), x, y).equal(expected)


def test_an_image_that_is_a_tie_when_clean_is_what_argmax_says():
    class Tied(nn.Module):
        """A tie below 1/2, and class 1 above."""

        def forward(self, x):
            above = (x.flatten(1).mean(1) - 0.5).clamp(min=0)
            return torch.stack([-above, above], 1)

    x, x_adv = greys(0.4, 0.4), greys(0.6, 0.4)
    y = torch.tensor([0, 0])
    assert keep_successes(Tied(), x, y, x_adv, norm="linf", epsilon=0.3)[1].tolist() == [
        True,
        False,
    ]


@pytest.fixture
def edge(problem):
    """A network, and images as near to its boundary as float32 goes; labels on this side of it."""
    model, x, y = problem("resnet18", images=64)
    y = model(x).argmax(1)
    other = x[[int((y != own).nonzero()[0]) for own in y]]
    twin = problem("resnet18", images=64)[0].double()
    twin.load_state_dict({name: value.double() for name, value in model.state_dict().items()})
    low, high = torch.zeros(2, 64, 1, 1, 1, dtype=torch.double).unbind()
    high = high + 1
    for _ in range(40):
        middle = (low + high) / 2
        crossed = twin(x.double() + middle * (other - x).double()).argmax(1) != y
        crossed = crossed.view_as(middle)
        low, high = torch.where(crossed, low, middle), torch.where(crossed, middle, high)
    return model, (x + high * (other - x)).float(), y


@torch.no_grad()
def test_at_the_boundary_the_verdict_is_one_in_every_batch_where_argmax_has_several(edge):
    model, x, y = edge

    def by_batches(judge):
        sizes = (1, 2, 3, 5, 16, 64)
        return [torch.cat([judge(*part) for part in _parts(x, y, size)]) for size in sizes]

    plain = by_batches(lambda a, b: model(a).argmax(1) != b)
    assert any(not one.equal(plain[0]) for one in plain)
    beyond = by_batches(lambda a, b: fooled(model, a, b))
    assert all(one.equal(beyond[0]) for one in beyond) and beyond[0].any()


def _parts(x, y, size):
    return zip(x.split(size), y.split(size), strict=True)


ATTACKS = {
    "pgd": (pgd, {"epsilon": 0.01, "step_size": 0.002, "steps": 5}),
    "square": (square, {"epsilon": 0.02, "queries": 50}),
    "fab": (fab, {"norm": "l2", "epsilon": 0.3, "steps": 10}),
    "deepfool": (deepfool, {"epsilon": 0.3, "steps": 10, "overshoot": 0.0}),
    "hop_skip_jump": (hop_skip_jump, {"steps": 2, "first_labels": 20}),
}


@pytest.mark.parametrize("name", ATTACKS)
@torch.no_grad()
def test_what_attacks_find_is_found_in_every_batch(name, problem):
    attack, numbers = ATTACKS[name]
    model, x, y = problem("resnet18")
    config, generator = attack.Config(**numbers), torch.Generator().manual_seed(0)
    with torch.enable_grad():
        x_adv, success = attack.perturb(model, x, y, config=config, generator=generator)
    assert success.any()
    for size in (1, 5, 24):
        again = torch.cat([fooled(model, *part) for part in _parts(x_adv, y, size)])
        assert again[success].all()


@pytest.mark.parametrize(
    ("attack", "numbers"),
    [
        (hop_skip_jump, {"steps": 2, "first_labels": 20}),
        (square, {"epsilon": 0.3, "queries": 50}),
        (pgd, {"epsilon": 0.3, "step_size": 0.1, "steps": 5}),
    ],
)
def test_no_attack_finds_ties_and_none_is_called_a_liar_for_them(attack, numbers):
    """Class 1 leads by one unit of float32 above a grey of 0.4: an accident of the last digit."""

    class Accident(nn.Module):
        def forward(self, x):
            digit = (x.flatten(1).mean(1) > 0.4).float() * UNIT
            flat = 0 * x.float().flatten(1).sum(1)
            return torch.stack([1 + flat - flat.detach(), 1 + digit], 1)

    x, y = greys(0.3, 0.35), torch.zeros(2, dtype=torch.int64)
    assert Accident()(greys(0.9)).argmax(1) == 1

    def perturb(*args, generator):
        return attack.perturb(*args, config=attack.Config(**numbers), generator=generator)

    found = run_attack(
        Accident(), x, y, Accident()(x).argmax(1) == y,
        Attack(Threat("black_box", "l2", None), perturb, {}), rows=slice(len(x)),
        generator=torch.Generator(),
    )  # fmt: skip
    assert not found.success.any() and not found.miscounted.any()


def test_who_claims_a_tie_has_not_miscounted_and_who_claims_a_stander_has():
    x, y = greys(0.25, 0.5, 0.75, 0.75), torch.tensor([0, 0, 0, 0])
    right = torch.tensor([True, True, True, False])
    claimed = torch.ones(4, dtype=torch.bool)
    success, miscounted = verify_success(Coarse(), y, x, claimed=claimed, clean_correct=right)
    assert success.tolist() == [False, False, True, False]
    assert miscounted.tolist() == [True, False, False, True]
    nobody = verify_success(Coarse(), y, x, claimed=~claimed, clean_correct=right)
    assert not any(mask.any() for mask in nobody)


def test_a_square_search_goes_on_from_a_tie_to_an_image_that_fools():
    """Rounded logits tie on the way, and argmax names the lower class."""

    class Rounded(nn.Module):
        def forward(self, x):
            steps = (64 * x.flatten(1).mean(1)).round()
            return torch.stack([steps, 0 * steps + 24], 1)

    x, y = greys(0.3).repeat(8, 1, 1, 1), torch.ones(8, dtype=torch.int64)
    config = square.Config(epsilon=0.2, queries=200)
    x_adv, success = square.perturb(Rounded(), x, y, config=config, generator=torch.Generator())
    assert Rounded()(greys(0.375)).tolist() == [[24, 24]]
    assert success.all() and (Rounded()(x_adv)[:, 0] > 24).all()
