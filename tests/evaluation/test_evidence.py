"""Diagnostics as the measurements that checks read: curves, and images that matter."""

import pytest
import torch
from torch import nn

from robustinfo.core.measurement import count_fraction
from robustinfo.core.settings import diameter
from robustinfo.diagnostics import attack_accuracy
from robustinfo.evaluation.evidence import is_curve, norm_of, run_diagnostics

X, Y = torch.rand(8, 1, 4, 4), torch.zeros(8, dtype=torch.long)


class Right(nn.Module):
    """Class 0 for every image, by a logit that follows its brightness."""

    def forward(self, x):
        return torch.stack([1 + x.flatten(1).mean(1), x.flatten(1).mean(1)], 1)


def told(entries, resisting=None):
    found = run_diagnostics(
        Right(), X, Y, entries, resisting=resisting or {}, generator=torch.Generator()
    )
    return {(one.entry, one.quantity, one.level): one for one in found}


def curve(levels, norm="linf", **more):
    return {
        "method": "attack_accuracy",
        "norm": norm,
        "steps": 2,
        "sweep": {"epsilon": levels},
        **more,
    }


@pytest.fixture
def survivors(monkeypatch):
    """Which of the 8 images are robust at each epsilon, written by hand."""
    masks = {}

    def robust(model, x, y, *, config, generator):
        return torch.tensor([bit == "1" for bit in masks[config.epsilon]])

    monkeypatch.setattr(attack_accuracy, "robust", robust)
    return masks


def test_a_curve_says_how_much_it_rises_what_is_left_at_its_end_and_what_it_does_at_zero(survivors):
    survivors |= {0.0: "11111110", 0.1: "11110000", 0.2: "11111000", 1.0: "10000000"}
    found = told({"curve": curve([1.0, 0.0, 0.2, 0.1])})
    assert found["curve", "attack_accuracy", 0.1].value == 0.5
    rise = found["curve", "rise_with_epsilon", None]
    assert rise.value == 1 / 8 and rise.low < 1 / 8 < rise.high
    assert found["curve", "accuracy_at_huge_epsilon", None] == count_fraction(
        "accuracy_at_huge_epsilon", 1, 8
    )._replace(entry="curve")
    assert found["curve", "zero_epsilon_gap", None].value == 1 / 8


def test_an_l2_curve_is_huge_where_any_image_can_be_painted_and_not_at_half(survivors):
    assert diameter("linf", 784) == 1 and diameter("l2", 784) == 28
    survivors |= {0.0: "1" * 8, 0.5: "1" * 8, 1.5: "1" * 7 + "0"}
    honest = told({"curve": curve([0.0, 0.5, 1.5], "l2")})
    assert ("curve", "accuracy_at_huge_epsilon", None) not in honest
    survivors[4.0] = "0" * 8
    reached = told({"curve": curve([0.0, 0.5, 1.5, 4.0], "l2")})
    assert reached["curve", "accuracy_at_huge_epsilon", None].value == 0


def test_a_curve_that_ends_early_says_less(survivors):
    survivors |= {0.1: "11110000", 0.2: "11000000"}
    names = {quantity for _, quantity, _ in told({"curve": curve([0.1, 0.2])})}
    assert names == {"attack_accuracy", "rise_with_epsilon"}


def test_accuracy_that_is_swept_over_steps_is_no_curve_of_epsilon():
    steps = {
        "method": "attack_accuracy",
        "norm": "linf",
        "epsilon": 0.1,
        "sweep": {"steps": [1, 2]},
    }
    assert not is_curve(steps) and is_curve(curve([0.0, 1.0]))
    assert {quantity for _, quantity, _ in told({"steps": steps})} == {"attack_accuracy"}


def test_an_entry_speaks_of_the_norm_of_its_attack():
    adversary = {"method": "pgd", "norm": "l2", "epsilon": 0.5, "step_size": 0.1, "steps": 3}
    assert norm_of("diagnostics", {"method": "binarization_test", "adversary": adversary}) == "l2"
    assert norm_of("diagnostics", {"method": "output_checks"}) is None
    assert norm_of("diagnostics", curve([0.0, 1.0], "l2")) == "l2"


def test_a_gradient_is_looked_for_where_images_resist_and_the_fraction_is_of_all_images():
    path = {"method": "loss_trajectory", "epsilon": 0.1, "step_size": 0.05, "steps": 3}
    entries = {"loss_trajectory": path}
    assert told(entries) == {}  # no attack in this norm, so nothing resists
    resisting = {"linf": torch.tensor([1, 1, 0, 0, 0, 0, 0, 0]).bool()}
    found = told(entries, resisting)
    assert {one.n for one in found.values() if one.interval == "fraction"} == {8}
