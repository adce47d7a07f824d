"""What the attacks of a run say together, per image and norm, on four images of one pixel."""

import pytest
import torch
from torch import nn

from pipeline.results.worst_case import attacks_in_scope, per_image_table, worst_case
from pipeline.study.quantities import UNION
from robustinfo.core.measurement import count_fraction
from robustinfo.evaluation.threats import Threat
from tests.by_quantity import by_quantity

X = torch.tensor([0.401, 0.2, 0.1, 0.9]).view(4, 1, 1, 1)
Y = torch.zeros(4, dtype=torch.long)  # the last image is wrong when clean
LINF = {"method": "pgd", "norm": "linf", "epsilon": 0.1, "step_size": 0.05, "steps": 4}
L2 = LINF | {"norm": "l2", "epsilon": 0.35, "step_size": 0.2}
SQUARE = {"method": "square", "norm": "linf", "epsilon": 0.1, "queries": 5}
# Where an attack takes the images that it breaks.
LINF_BREAKS, L2_BREAKS, ALL_BREAK = ({0: 0.501}, {0: 0.7, 1: 0.55}, {0: 0.7, 1: 0.55, 2: 0.6})


class Bright(nn.Module):
    """Class 1 where the image's only pixel is above a half; without a gradient if flat."""

    def __init__(self, flat=False):
        super().__init__()
        self.flat = flat

    def forward(self, x):
        above = x.flatten(1) - 0.5
        logits = torch.cat([-above, above], 1)
        return logits.sign() + 0 * logits if self.flat else logits


@pytest.fixture
def together():
    """What is said of attacks: {name: (entry, where it takes the images that it breaks)}."""

    def said(attacks, limits=None, flat=False):
        stored = {}
        for name, (_, turned) in attacks.items():
            x_adv, success = X.clone(), torch.zeros(4, dtype=torch.bool)
            for row, pixel in turned.items():
                x_adv[row], success[row] = pixel, True
            stored[name] = {"x_adv": x_adv, "success": success, "correct": X.flatten() < 0.5}
        entries = {name: one for name, (one, _) in attacks.items()}
        generator = torch.Generator().manual_seed(0)
        return worst_case(Bright(flat), X, Y, stored, entries, limits or {}, generator=generator)

    return said


def of(found, entry):
    """{quantity: Measurement without its entry} of one norm, or of all."""
    own = (one for one in found.measurements if one.entry == entry)
    return {name: one._replace(entry="") for name, one in by_quantity(own).items()}


def test_what_breaks_an_image_in_one_norm_says_nothing_in_another(together):
    found = together({"pgd": (LINF, LINF_BREAKS), "l2_pgd": (L2, L2_BREAKS)})
    assert {name: mask.tolist() for name, mask in found.correct.items()} == {
        "clean": [True, True, True, False],
        "pgd": [False, True, True, False],
        "l2_pgd": [False, False, True, False],
        "linf": [False, True, True, False],
        "l2": [False, False, True, False],
        UNION: [False, False, True, False],
    }
    assert found.resisting["linf"].tolist() == [False, True, True, False]
    assert of(found, "linf")["robust_accuracy"] == count_fraction("robust_accuracy", 2, 4)
    assert of(found, "l2")["robust_accuracy"] == count_fraction("robust_accuracy", 1, 4)
    assert of(found, UNION) == {"robust_accuracy": count_fraction("robust_accuracy", 1, 4)}
    for norm in ("linf", "l2"):
        assert of(found, norm)["gradient_attacks"].value == 1
        assert of(found, norm)["convergence_gain"].value == 0


def test_a_black_box_in_one_norm_is_held_against_no_gradient_in_another(together):
    from_x = L2 | {"random_start": False}  # a random start may lie beyond the edge
    found = together({"square": (SQUARE, LINF_BREAKS), "l2_pgd": (from_x, {})}, flat=True)
    assert "black_box_only_fraction" not in of(found, "linf")
    assert of(found, "linf")["gradient_attacks"].value == 0
    assert of(found, "l2")["robust_accuracy"].value == 3 / 4


def test_what_only_a_black_box_breaks_counts_where_a_long_gradient_search_fails_too(together):
    attacks = {"pgd": (LINF, {}), "square": (SQUARE, LINF_BREAKS)}
    short, masked = of(together(attacks), "linf"), of(together(attacks, flat=True), "linf")
    assert (short["black_box_only_fraction"].value, short["short_search_fraction"].value) == (
        0,
        1 / 4,
    )
    assert masked["black_box_only_fraction"] == count_fraction("black_box_only_fraction", 1, 4)
    assert masked["short_search_fraction"].value == 0
    for one in (short, masked):
        assert one["robust_accuracy"].value == 2 / 4  # broken is broken, whoever did it


def test_an_attack_beyond_the_limit_or_without_an_epsilon_breaks_nothing(together):
    far = {"method": "deepfool", "norm": "linf", "steps": 5}
    attacks = {"pgd": (LINF, LINF_BREAKS), "far": (far, ALL_BREAK)}
    attacks["beyond"] = (LINF | {"epsilon": 0.5}, ALL_BREAK)
    limited = together(attacks, {"linf": 0.1})
    assert limited.correct["linf"].tolist() == [False, True, True, False]
    assert of(limited, "linf")["gradient_attacks"].value == 1
    assert together(attacks).correct["linf"].tolist() == [False] * 4


def test_without_a_threat_model_nothing_is_said(together):
    found = together({"far": ({"method": "deepfool", "norm": "l2", "steps": 5}, ALL_BREAK)})
    assert not found.measurements and not found.resisting
    assert {name: mask.tolist() for name, mask in found.correct.items()} == {
        "clean": [True, True, True, False],
        "far": [False] * 4,
    }


def test_an_image_outside_the_ball_is_told_in_its_norm(together):
    found = together({"pgd": (LINF, {0: 0.8}), "l2_pgd": (L2, L2_BREAKS)})
    assert of(found, "linf")["infeasible_fraction"] == count_fraction("infeasible_fraction", 1, 4)
    assert of(found, "l2")["infeasible_fraction"].value == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("8/255", 0.0314, True),
        ("8/255", 0.031372549, True),
        ("2/255", 0.00784, True),
        ("8/255", 0.031, False),
        ("8/255", "4/255", False),
    ],
)
def test_equal_epsilons_are_one_threat_model_however_they_are_written(one, other, same, together):
    for first, second in ((one, other), (other, one)):
        attacks = {
            "pgd": (LINF | {"epsilon": first}, {}),
            "square": (SQUARE | {"epsilon": second}, {}),
        }
        assert ("black_box_only_fraction" in of(together(attacks), "linf")) == same


def test_an_attack_counts_up_to_the_limit_of_its_norm_however_both_are_written():
    def counts(limits, **entry):
        return bool(attacks_in_scope({"pgd": LINF | {"epsilon": 8 / 255} | entry}, limits))

    assert counts({}) and counts({"linf": "8/255"}) and counts({"linf": 0.0314})
    assert counts({"linf": "8/255"}, epsilon=0.0314)
    assert not counts({"linf": "7/255"}) and not counts({"linf": "8/255"}, epsilon=0.032)
    assert counts({"l2": 0.01}) and counts({"linf": None})
    assert not counts({"l2": 0.01}, norm="l2")
    assert not attacks_in_scope({"far": {"method": "deepfool", "norm": "l2", "steps": 5}}, {})


def test_at_a_limit_of_0_a_norm_decides_nothing_and_its_attacks_are_still_shown(together):
    found = together({"pgd": (LINF, LINF_BREAKS), "l2_pgd": (L2, L2_BREAKS)}, limits={"l2": 0.0})
    assert "l2" not in found.correct and not of(found, "l2")
    assert found.correct["l2_pgd"].tolist() == [False, False, True, False]
    assert found.correct[UNION].equal(found.correct["linf"])


def test_a_threat_is_read_off_an_entry(together):
    (made,) = attacks_in_scope({"pgd": LINF}, {}).values()
    assert made == Threat("iterated", "linf", 0.1, "pgd", "cross_entropy", (4, 1), False)


def test_every_image_has_a_line_per_entry(together):
    masks = {
        "clean": [1, 1, 1, 0],
        "pgd": [0, 1, 1, 0],
        "linf": [0, 1, 1, 0],
        UNION: [0, 1, 1, 0],
    }
    found = per_image_table(together({"pgd": (LINF, LINF_BREAKS)}).correct)
    assert found.values.tolist() == [
        [entry, index, right] for entry, mask in masks.items() for index, right in enumerate(mask)
    ]
