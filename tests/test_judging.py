import math

import pytest
import torch

from robustinfo.judging import CLASSES, Threat, Thresholds, judge, worst_case

CLEAN = {
    "classes": 10,
    "n": 1000,
    "clean_accuracy": 0.95,
    "infeasible_share": 0.0,
    "zero_gradient_share": 0.01,
    "accuracy_at_huge_epsilon": 0.0,
    "rise_with_epsilon": 0.0,
    "noise_only_share": 0.0,
    "single_step_only_share": 0.0,
    "adaptive_only_share": 0.0,
    "black_box_only_share": 0.0,
    "robust_low": 0.57,
    "twin_robust_accuracy": 0.01,
    "gain_over_twin": 0.55,
}
FAILURES = [
    ("infeasible_share", 0.001, "invalid"),
    ("clean_accuracy", 0.19, "invalid"),
    ("twin_robust_accuracy", 0.06, "invalid"),
    ("zero_gradient_share", 0.06, "masked"),
    ("accuracy_at_huge_epsilon", 0.11, "masked"),
    ("rise_with_epsilon", 0.02, "masked"),
    ("noise_only_share", 0.02, "masked"),
    ("single_step_only_share", 0.02, "masked"),
    ("black_box_only_share", 0.04, "masked"),
    ("adaptive_only_share", 0.02, "needs adaptive"),
    ("robust_low", 0.1, "broken"),
    ("gain_over_twin", 0.0, "no benefit"),
]
THRESHOLDS = Thresholds(twin="normal")


def test_clean_evidence_holds_against_what_was_tried():
    verdict, checks = judge(CLEAN, THRESHOLDS)
    assert verdict == "holds against what was tried"
    assert not any(check.failed for check in checks)


@pytest.mark.parametrize("name, value, verdict", FAILURES)
def test_each_check_alone_puts_the_defence_in_its_class(name, value, verdict):
    found, checks = judge(CLEAN | {name: value}, THRESHOLDS)
    assert found == verdict
    assert [(c.name, c.value, c.verdict) for c in checks if c.failed] == [(name, value, verdict)]


def test_every_check_that_is_run_is_tried_here():
    run = [check.name for check in judge(CLEAN, THRESHOLDS)[1] if check.failed is not None]
    assert sorted(run) == sorted(name for name, *_ in FAILURES)


def test_the_worst_class_wins():
    evidence, rank = dict(CLEAN), len(CLASSES) - 1
    for name, value, verdict in reversed(FAILURES):
        evidence[name] = value
        found = judge(evidence, THRESHOLDS)[0]
        assert found == verdict and CLASSES.index(found) <= rank
        rank = CLASSES.index(found)
    assert rank == 0


def test_a_check_that_was_not_run_is_neither_passed_nor_failed():
    evidence = CLEAN | {"adaptive_only_share": None}
    verdict, found = judge(evidence, THRESHOLDS)
    assert verdict == "holds against what was tried"
    checks = {check.name: check for check in found}
    for name in ("adaptive_only_share", "steps_and_restarts_doubled"):
        assert checks[name].failed is None and checks[name].value is None


@pytest.mark.parametrize("name", [name for name, *_ in FAILURES] + ["twin_high"])
def test_evidence_that_is_missing_is_no_evidence(name):
    with pytest.raises(ValueError, match=f"{name} is NaN"):
        judge(CLEAN | {name: math.nan}, THRESHOLDS)


def test_with_two_classes_twice_chance_is_all_that_can_be_asked():
    two = CLEAN | {"classes": 2, "clean_accuracy": 1.0, "robust_low": 0.8}
    assert judge(two, THRESHOLDS)[0] == "holds against what was tried"


def mask(bits):
    return torch.tensor([bit == "1" for bit in bits])


THREATS = {
    "pgd": Threat("iterated", "linf", 0.1),
    "fgsm": Threat("single_step", "linf", 0.1),
    "noise": Threat("noise", "linf", 0.1),
}


def worst(success, threats=THREATS):
    masks = worst_case({name: mask(bits) for name, bits in success.items()}, threats)
    return {name: "".join(str(int(bit)) for bit in bits) for name, bits in masks.items()}


def test_what_only_an_attacker_broke_who_knows_the_defence_is_told_apart():
    threats = THREATS | {
        "adaptive": Threat("adaptive", "linf", 0.1),
        "elsewhere": Threat("iterated", "l2", 1.0),
    }
    found = worst(
        {
            "pgd": "11000",
            "fgsm": "00100",
            "noise": "00010",
            "adaptive": "10111",
            "elsewhere": "00001",
        },
        threats,
    )
    assert found == {
        "broken": "11111",
        "adaptive_only": "00011",
        "single_step_only": "00000",  # the adaptive attack found it as well
        "noise_only": "00000",
    }


def test_what_noise_alone_and_a_single_step_alone_broke_is_told_apart():
    found = worst({"pgd": "11110000", "fgsm": "11001100", "noise": "10101010"})
    assert found == {
        "broken": "11111110",
        "single_step_only": "00001100",
        "noise_only": "00000010",
    }


def test_an_adaptive_attack_with_nothing_to_compare_it_to_says_nothing():
    threats = {"fgsm": THREATS["fgsm"], "adaptive": Threat("adaptive", "linf", 0.1)}
    found = worst({"fgsm": "00", "adaptive": "11"}, threats)
    assert found["broken"] == "11" and "adaptive_only" not in found


def test_an_unbounded_attack_breaks_nothing_and_explains_nothing():
    threats = THREATS | {"cw": Threat("iterated", "linf", None), "cw2": Threat("noise", "l2", None)}
    found = worst({"pgd": "00", "fgsm": "10", "noise": "00", "cw": "11", "cw2": "11"}, threats)
    assert found == {"broken": "10", "single_step_only": "10", "noise_only": "00"}


@pytest.mark.parametrize("other", [Threat("iterated", "l2", 0.1), Threat("iterated", "linf", 0.2)])
def test_only_attacks_of_the_same_norm_and_epsilon_are_compared(other):
    threats = THREATS | {"other": other}
    found = worst({"pgd": "000", "fgsm": "100", "noise": "010", "other": "111"}, threats)
    assert found == {"broken": "111", "single_step_only": "100", "noise_only": "010"}


def test_without_a_stronger_attack_there_is_nothing_to_hold_a_weak_one_against():
    threats = {"fgsm": THREATS["fgsm"], "noise": THREATS["noise"]}
    found = worst({"fgsm": "100", "noise": "011"}, threats)
    assert found == {"broken": "111", "single_step_only": "000", "noise_only": "000"}


def test_any_of_several_iterated_attacks_answers_for_the_weak_ones():
    threats = THREATS | {"bim": Threat("iterated", "linf", 0.1)}
    found = worst({"pgd": "100", "bim": "010", "fgsm": "111", "noise": "111"}, threats)
    assert found == {"broken": "111", "single_step_only": "001", "noise_only": "000"}


def test_a_stronger_attack_of_another_threat_model_is_nothing_to_hold_a_weak_one_against():
    threats = {"pgd": Threat("iterated", "l2", 2.0), "fgsm": THREATS["fgsm"]}
    found = worst({"pgd": "000", "fgsm": "110"}, threats)
    assert found == {"broken": "110", "single_step_only": "000", "noise_only": "000"}
