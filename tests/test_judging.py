import math

import pytest

from robustinfo.advice import MEANS
from robustinfo.judging import ADAPTIVE, CLASSES, DECIDING, FEW, HOLDS, RULES, Thresholds, judge

CLEAN = {
    "classes": 10,
    "n": 1000,
    "gradient_attacks": 2.0,
    "infeasible_share": 0.0,
    "miscounted_share": 0.0,
    "unfinite_share": 0.0,
    "probabilities_share": 0.0,
    "batch_dependent_share": 0.0,
    "weights_changed": 0.0,
    "zero_epsilon_gap": 0.0,
    "clean_accuracy": 0.95,
    "twin_robust_accuracy": 0.01,
    "planted_found_high": 0.97,
    "zero_gradient_share": 0.01,
    "never_rises_share": 0.0,
    "accuracy_at_huge_epsilon": 0.0,
    "rise_with_epsilon": 0.0,
    "noise_only_share": 0.0,
    "single_step_only_share": 0.0,
    "black_box_only_share": 0.0,
    "forwards_differ_share": 0.0,
    "no_gradient_share": 0.0,
    "adaptive_only_share": 0.0,
    "doubled_gain": 0.0,
    "still_rising_share": 0.0,
    "robust_accuracy": 0.6,
    "robust_low": 0.57,
    "gain_over_twin": 0.55,
    "gain_where_information_fell": 0.55,
}
FAILURES = [
    ("gradient_attacks", 0.0, "invalid"),
    ("infeasible_share", 0.001, "invalid"),
    ("miscounted_share", 0.02, "invalid"),
    ("unfinite_share", 0.001, "invalid"),
    ("probabilities_share", 1.0, "invalid"),
    ("batch_dependent_share", 0.001, "invalid"),
    ("weights_changed", 0.1, "invalid"),
    ("zero_epsilon_gap", 0.02, "invalid"),
    ("clean_accuracy", 0.19, "invalid"),
    ("twin_robust_accuracy", 0.06, "invalid"),
    ("planted_found_high", 0.94, "masked"),
    ("zero_gradient_share", 0.06, "masked"),
    ("never_rises_share", 0.06, "masked"),
    ("accuracy_at_huge_epsilon", 0.11, "masked"),
    ("rise_with_epsilon", 0.02, "masked"),
    ("noise_only_share", 0.02, "masked"),
    ("single_step_only_share", 0.02, "masked"),
    ("black_box_only_share", 0.04, "masked"),
    ("forwards_differ_share", 0.001, ADAPTIVE),
    ("no_gradient_share", 0.06, ADAPTIVE),
    ("adaptive_only_share", 0.02, ADAPTIVE),
    ("doubled_gain", 0.02, "not converged"),
    ("still_rising_share", 0.2, "not converged"),
    ("robust_accuracy", 0.1, "broken"),
    ("robust_low", 0.1, "no benefit"),
    ("gain_over_twin", 0.0, "no benefit"),
    ("gain_where_information_fell", 0.0, "no benefit"),
]
NOTES = {
    "log_probabilities_share": 1.0,
    "ensemble_only_share": 0.2,
    "information_at_ceiling_share": 0.6,
    "information_over_chance": 0.0,
}
THRESHOLDS = Thresholds(twin="normal")


def test_clean_evidence_holds_against_what_was_tried():
    verdict, checks = judge(CLEAN, THRESHOLDS)
    assert verdict == HOLDS
    assert not any(check.failed for check in checks)


@pytest.mark.parametrize("name, value, verdict", FAILURES)
def test_each_check_alone_puts_the_defence_in_its_class(name, value, verdict):
    found, checks = judge(CLEAN | {name: value}, THRESHOLDS)
    assert found == verdict
    assert [(c.name, c.value, c.verdict) for c in checks if c.failed] == [(name, value, verdict)]


def test_every_check_is_tried_here():
    assert [name for name, *_ in FAILURES] == DECIDING
    assert [*DECIDING, *NOTES] == [*RULES]


@pytest.mark.parametrize("name", NOTES)
def test_a_note_is_printed_and_decides_nothing(name):
    verdict, checks = judge(CLEAN | {name: NOTES[name]}, THRESHOLDS)
    assert verdict == HOLDS
    assert [(c.name, c.verdict) for c in checks if c.failed] == [(name, "note")]


def test_every_check_says_what_its_failure_means():
    assert [*MEANS] == [*RULES]


def test_the_worst_class_wins():
    evidence, rank = dict(CLEAN), len(CLASSES) - 1
    for name, value, verdict in reversed(FAILURES):
        evidence[name] = value
        found = judge(evidence, THRESHOLDS)[0]
        assert found == verdict and CLASSES.index(found) <= rank
        rank = CLASSES.index(found)
    assert rank == 0


def test_a_check_that_was_not_run_is_neither_passed_nor_failed():
    evidence = {name: value for name, value in CLEAN.items() if name != "doubled_gain"}
    verdict, found = judge(evidence | {"adaptive_only_share": None}, THRESHOLDS)
    assert verdict == HOLDS
    checks = {check.name: check for check in found}
    for name in ("adaptive_only_share", "doubled_gain"):
        assert checks[name].failed is None and checks[name].value is None


@pytest.mark.parametrize("name", [name for name, *_ in FAILURES] + ["something_else"])
def test_evidence_that_is_missing_is_no_evidence(name):
    with pytest.raises(ValueError, match=f"{name} is NaN"):
        judge(CLEAN | {name: math.nan}, THRESHOLDS)


@pytest.mark.parametrize("name", FEW)
def test_so_few_images_may_be_chance(name):
    most = 2 if name == "black_box_only_share" else 1
    few = CLEAN | {"n": 20, "classes": 1000, "clean_accuracy": 0.9}
    assert judge(few | {name: 0.55 + most / 20 - 0.55}, THRESHOLDS)[0] == HOLDS
    check = next(c for c in judge(few | {name: (most + 1) / 20}, THRESHOLDS)[1] if c.name == name)
    assert check.failed


def test_noise_may_not_find_a_hundredth_that_nothing_else_found():
    assert judge(CLEAN | {"noise_only_share": 0.009}, THRESHOLDS)[0] == HOLDS
    assert judge(CLEAN | {"noise_only_share": 0.01}, THRESHOLDS)[0] == "masked"


def test_what_is_above_chance_among_a_thousand_classes_may_be_broken_all_the_same():
    many = CLEAN | {"classes": 1000, "accuracy_at_huge_epsilon": 0.0}
    assert judge(many | {"robust_accuracy": 0.04}, THRESHOLDS)[0] == "broken"
    assert judge(many | {"robust_low": 0.04}, THRESHOLDS)[0] == "no benefit"
    assert judge(many | {"robust_low": 0.06}, THRESHOLDS)[0] == HOLDS


def test_with_two_classes_twice_chance_is_all_that_can_be_asked():
    two = CLEAN | {"classes": 2, "clean_accuracy": 1.0, "robust_low": 0.8}
    assert judge(two, THRESHOLDS)[0] == HOLDS
