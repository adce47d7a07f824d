"""Gradient attacks go on: what was a short search, what is masked, what has not converged."""

import pytest
import torch
from torch import nn

from robustinfo.core.errors import UserError
from robustinfo.evaluation.attacks import Attack, attacks_of
from robustinfo.evaluation.evaluate import evaluate
from robustinfo.evaluation.follow_up import follow_up, measurements
from robustinfo.evaluation.outcome import outcome
from robustinfo.evaluation.threats import Ball, Threat

BALL = Ball(norm="linf", epsilon=0.1)
PGD = {"method": "pgd", "epsilon": 0.1, "step_size": 0.05, "steps": 2}


class Line(nn.Module):
    """Class 1 where the mean of an image exceeds a half, by logits of a given scale."""

    def __init__(self, scale=1.0, levels=None):
        super().__init__()
        self.scale, self.levels = scale, levels

    def forward(self, x):
        if self.levels:
            x = (x * self.levels).round() / self.levels
        lead = self.scale * (x.flatten(1).mean(1) - 0.5)
        return torch.stack([-lead, lead], 1)


def images(*means):
    """(n, 1, 4, 4) of one grey each."""
    return torch.tensor(means).view(-1, 1, 1, 1).expand(-1, 1, 4, 4).clone()


def followed(model, x, success, threats, entries=None):
    """The measurements by name, of attacks whose successes are written by hand."""
    y = model(x).argmax(1)
    masks = {name: torch.tensor([bit == "1" for bit in bits]) for name, bits in success.items()}
    found = outcome(masks, threats, torch.ones(len(x), dtype=torch.bool), "linf")
    after = follow_up(
        model, x, y, found, ("linf", 0.1), entries or {}, threats, starts=x,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    only = {role: mask.tolist() for role, mask in after.only.items()}
    return {one.quantity: one.value for one in measurements(after)}, only


ITERATED = Threat("iterated", "linf", 0.1, "pgd", "cross_entropy", (2, 1))
SQUARE = Threat("black_box", "linf", 0.1)


def test_what_a_longer_gradient_attack_finds_as_well_was_a_short_search_and_accuses_nobody():
    threats = {"pgd": ITERATED, "square": SQUARE}
    values, only = followed(
        Line(), images(0.45, 0.55, 0.2), {"pgd": "000", "square": "110"}, threats
    )
    assert values["short_search_fraction"] == pytest.approx(2 / 3)
    assert only == {"black_box": [False, False, False]}


def test_what_no_gradient_finds_is_left_to_the_black_box():
    threats = {"pgd": ITERATED, "square": SQUARE}
    quantised = Line(levels=4)
    values, only = followed(quantised, images(0.63, 0.2), {"pgd": "00", "square": "10"}, threats)
    # Rounded to quarters, only images that jump as a whole change: no gradient says so.
    assert values["short_search_fraction"] + sum(only["black_box"]) / 2 == 1 / 2


def test_what_a_short_attack_on_the_margin_left_to_the_search_is_not_hidden():
    margin = ITERATED._replace(loss="margin")
    sure, x = Line(scale=3000.0), images(0.45, 0.55, 0.2)  # its cross-entropy is flat in float32
    threats, success = {"pgd": ITERATED, "square": SQUARE}, {"pgd": "000", "square": "110"}
    values, _ = followed(sure, x, success, threats)
    assert values["hidden_fraction"] == values["short_search_fraction"] == pytest.approx(2 / 3)
    values, _ = followed(sure, x, success | {"margin": "000"}, threats | {"margin": margin})
    assert values["hidden_fraction"] == 0
    assert values["short_search_fraction"] == pytest.approx(2 / 3)


def test_what_an_attack_with_twice_the_steps_breaks_tells_that_it_had_not_converged():
    entries = {"pgd": PGD | {"step_size": 0.03, "random_start": False}}
    x = images(0.42, 0.2)  # two steps of 0.03 end before the boundary, four do not
    values, _ = followed(Line(), x, {"pgd": "00"}, {"pgd": ITERATED}, entries)
    assert values["convergence_gain"] == 1 / 2 and values["restarts_gain"] == 0
    entries = {"pgd": PGD | {"step_size": 0.1}}
    values, _ = followed(Line(), images(0.3, 0.2), {"pgd": "00"}, {"pgd": ITERATED}, entries)
    assert values["convergence_gain"] == 0


def test_what_other_starts_find_is_their_luck_and_no_lack_of_steps():
    entries = {"pgd": PGD | {"step_size": 0.1}}  # these steps find the first image, too
    x = images(0.42, 0.2)
    values, _ = followed(Line(), x, {"pgd": "00"}, {"pgd": ITERATED}, entries)
    assert values["restarts_gain"] == 1 / 2 and values["convergence_gain"] == 0


def test_no_image_is_robust_that_fell_when_the_attacks_were_doubled():
    weak = attacks_of({"pgd": PGD | {"step_size": 0.02, "random_start": False}})
    found = evaluated(weak, x=images(0.43, 0.2))
    assert not found.attacks["pgd"].broken.any() and found.robust_accuracy == 1 / 2
    assert found.broken_by_follow_up.tolist() == [True, False]


def test_without_an_attack_to_double_nothing_is_said_of_convergence():
    values, _ = followed(Line(), images(0.3), {"square": "0"}, {"square": SQUARE})
    assert "convergence_gain" not in values and "hidden_fraction" not in values


def test_images_are_hidden_whose_cross_entropy_is_flat_and_which_no_gradient_attack_breaks():
    ensemble = Threat("ensemble", "linf", 0.1, "autoattack")
    threats = {"pgd": ITERATED, "aa": ensemble}
    sure, x = Line(scale=1e5), images(0.45, 0.55, 0.44, 0.2)
    values, _ = followed(sure, x, {"pgd": "0010", "aa": "1110"}, threats)
    assert values["hidden_fraction"] == 2 / 4  # the third fell to the cross-entropy all the same
    values, _ = followed(Line(), x, {"pgd": "0010", "aa": "1110"}, threats)
    assert values["hidden_fraction"] == 0  # there it has a slope
    values, _ = followed(sure, x, {"pgd": "0000", "aa": "0000"}, threats)
    assert values["hidden_fraction"] == 0  # where all attacks agree nothing hides
    margin = Threat("iterated", "linf", 0.1, "pgd", "margin", (2, 1))
    success = {"pgd": "0010", "aa": "1110", "margin": "1110"}
    values, _ = followed(sure, x, success, threats | {"margin": margin})
    assert values["hidden_fraction"] == 0  # a network that is sure is honest, if this was asked


def evaluated(attacks, model=None, x=None):
    x = images(0.45, 0.55, 0.2, 0.8) if x is None else x
    model = model or Line()
    return evaluate(
        model, x, model(x).argmax(1), classes=2, ball=BALL, attacks=attacks, diagnostics={},
        progress=lambda text: None,
    )  # fmt: skip


def test_if_no_attack_can_be_made_that_is_an_error_with_the_reasons():
    def fails(model, x, y, *, generator):
        raise UserError("it has no boundary to follow")

    own = {"mine": Attack(Threat("iterated", "linf", 0.1), fails, {})}
    with pytest.raises(
        UserError, match=r"no attack could be made.*mine: it has no boundary to follow"
    ):
        evaluated(own)
    with pytest.raises(UserError, match="no attack could be made"):
        evaluated({})


def test_an_attack_that_cannot_be_made_takes_nothing_from_the_others():
    def fails(model, x, y, *, generator):
        raise UserError("too few classes")

    made = attacks_of({"pgd": PGD}) | {"mine": Attack(Threat("ensemble", "linf", 0.1), fails, {})}
    found = evaluated(made)
    assert found.not_made == {"mine": "too few classes"}
    assert found.robust_accuracy == 1 / 2 and not found.broken_by_follow_up.any()
    assert found.attacks["pgd"].broken.tolist() == [True, True, False, False]
