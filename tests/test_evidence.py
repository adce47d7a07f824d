"""From what is said of a network to the numbers that the verdict asks for."""

import pytest

from robustinfo.evidence import OF_FIXED_ANSWERS, WORST, Said, evidence
from robustinfo.judging import RULES, Thresholds

THRESHOLDS = Thresholds(twin="normal", huge_epsilon=1.0)
ANSWERS_DIFFER = Said("outputs", "forwards_differ_share", None, 1.0)
CLEAN = Said("clean", "accuracy", None, 0.9)


def found(*said):
    return evidence([CLEAN, *said], THRESHOLDS)


def test_whatever_is_evidence_as_it_is_has_a_rule():
    assert set(WORST) < set(RULES)


def test_of_several_that_say_the_same_the_worst_counts():
    some = [
        Said("a", "planted_found_high", None, 1.0),
        Said("b", "planted_found_high", None, 0.5),
    ]
    some += [Said("a", "infeasible_share", None, 0.0), Said("b", "infeasible_share", None, 0.1)]
    assert found(*some) == {
        "clean_accuracy": 0.9, "planted_found_high": 0.5, "infeasible_share": 0.1,
    }  # fmt: skip


def curve(*pairs):
    return [Said("epsilon_curve", "attack_accuracy", level, value) for level, value in pairs]


def test_the_curve_says_how_much_it_rises_what_is_left_at_its_end_and_what_it_does_at_zero():
    asked = found(*curve((1.0, 0.2), (0.0, 0.85), (0.1, 0.5), (0.2, 0.6), (2.0, 0.1)))
    assert asked == pytest.approx(
        {"clean_accuracy": 0.9, "rise_with_epsilon": 0.1, "accuracy_at_huge_epsilon": 0.2}
        | {"zero_epsilon_gap": 0.05}
    )


def test_another_curve_and_one_that_ends_early_say_less():
    other = Said("steps_curve", "attack_accuracy", 5.0, 0.3)
    assert found(other, *curve((0.1, 0.5), (0.2, 0.4))) == {
        "clean_accuracy": 0.9, "rise_with_epsilon": 0.0,
    }  # fmt: skip


@pytest.mark.parametrize("p, gain", [(0.04, 0.1), (0.2, 0.0)])
def test_what_doubling_gains_by_chance_is_no_gain(p, gain):
    said = [Said("d", "doubled_gain", None, 0.1), Said("d", "doubled_p", None, p)]
    assert found(*said)["doubled_gain"] == gain


def test_what_would_be_said_of_chance_is_not_said_of_a_network_that_answers_by_chance():
    said = [Said("pgd", "miscounted_share", None, 0.1), *curve((0.0, 0.7), (1.0, 0.0))]
    assert {"miscounted_share", "zero_epsilon_gap"} < set(found(*said))
    assert not {"miscounted_share", "zero_epsilon_gap"} & set(found(ANSWERS_DIFFER, *said))


@pytest.mark.parametrize("name", sorted({*OF_FIXED_ANSWERS} & {*WORST}))
def test_a_network_whose_answers_differ_on_few_images_is_asked_everything(name):
    slip = ANSWERS_DIFFER._replace(value=0.04)
    assert name in found(slip, Said("a", name, None, 0.3))
    assert name not in found(ANSWERS_DIFFER, Said("a", name, None, 0.3))
