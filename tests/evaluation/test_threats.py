"""What broke each image, and what alone broke it, on masks written by hand."""

import pytest
import torch

from robustinfo.evaluation.outcome import measurements, outcome
from robustinfo.evaluation.threats import Threat, attack_counts, threat_models


def mask(bits):
    return torch.tensor([bit == "1" for bit in bits])


def bits(mask):
    return "".join(str(int(bit)) for bit in mask)


THREATS = {
    "pgd": Threat("iterated", "linf", 0.1, "pgd", "cross_entropy", (10, 1)),
    "fgsm": Threat("single_step", "linf", 0.1, "fgsm", "cross_entropy"),
    "noise": Threat("noise", "linf", 0.1),
}


def found(success, threats=THREATS, correct=None, norm="linf"):
    success = {name: mask(one) for name, one in success.items()}
    n = len(next(iter(success.values())))
    return outcome(success, threats, mask(correct or "1" * n), norm)


def only(success, threats=THREATS):
    return {role: bits(one) for role, one in found(success, threats).only.items()}


def test_what_only_an_attacker_broke_who_knows_the_defence_is_told_apart():
    threats = THREATS | {"adaptive": Threat("adaptive", "linf", 0.1)}
    success = {"pgd": "11000", "fgsm": "00100", "noise": "00010", "adaptive": "10111"}
    assert only(success, threats) == {
        "adaptive": "00011",
        "single_step": "00000",  # the adaptive attack found it as well
        "noise": "00000",
    }


def test_what_noise_alone_and_a_single_step_alone_broke_is_told_apart():
    success = {"pgd": "11110000", "fgsm": "11001100", "noise": "10101010"}
    one = found(success)
    assert bits(one.robust) == "00000001" and bits(one.broken) == "11111110"
    assert only(success) == {"single_step": "00001100", "noise": "00000010"}


def test_where_nobody_made_an_attack_of_a_kind_nothing_is_said_of_it():
    pgd = {"pgd": THREATS["pgd"]}
    one = found({"pgd": "10"}, pgd)
    assert one.only == {} and one.shortfall is None
    names = {value.quantity for value in measurements(one, one.only)}
    assert names == {"robust_accuracy"}


def test_an_attack_with_nothing_to_compare_it_to_says_nothing():
    threats = {"fgsm": THREATS["fgsm"], "adaptive": Threat("adaptive", "linf", 0.1)}
    one = found({"fgsm": "00", "adaptive": "11"}, threats)
    assert bits(one.broken) == "11" and one.only == {}


def test_an_unbounded_attack_breaks_nothing_and_explains_nothing():
    threats = THREATS | {"cw": Threat("iterated", "linf", None)}
    one = found({"pgd": "00", "fgsm": "10", "noise": "00", "cw": "11"}, threats)
    assert bits(one.broken) == "10" and bits(one.only["single_step"]) == "10"


@pytest.mark.parametrize("epsilon", [0.0314, 8 / 255, 0.03137])
def test_an_epsilon_that_is_spelt_otherwise_is_the_same(epsilon):
    threats = {
        "pgd": Threat("iterated", "linf", 8 / 255),
        "square": Threat("black_box", "linf", epsilon),
    }
    assert only({"pgd": "000", "square": "110"}, threats) == {"black_box": "110"}


def test_attacks_of_another_epsilon_are_not_compared():
    threats = THREATS | {"other": Threat("iterated", "linf", 0.2)}
    one = found({"pgd": "000", "fgsm": "100", "noise": "010", "other": "111"}, threats)
    assert bits(one.broken) == "111"
    assert bits(one.only["single_step"]) == "100" and bits(one.only["noise"]) == "010"


def test_threat_models_are_not_mixed():
    threats = THREATS | {"l2": Threat("iterated", "l2", 1.5), "cw": Threat("iterated", "l2", 1.0)}
    success = {"pgd": "1100", "fgsm": "0000", "noise": "0000", "l2": "0010", "cw": "0001"}
    assert threat_models(threats) == {"linf": 0.1, "l2": 1.5}
    assert bits(found(success, threats).robust) == "0011"
    assert bits(found(success, threats, norm="l2").robust) == "1100"
    assert found(success, threats, norm="l2").only == {}
    assert [one.value for one in attack_counts(threats, ("l2", 1.5))] == [1, 0, 0]


def test_an_attack_in_a_smaller_ball_is_not_one_that_was_made_in_this():
    """AutoAttack and HopSkipJump at 1/255 say nothing of 8/255."""
    threats = {
        "pgd": Threat("iterated", "linf", 8 / 255),
        "aa": Threat("ensemble", "linf", 1 / 255, "autoattack"),
        "labels": Threat("black_box", "linf", 1 / 255, decision_based=True),
    }
    assert [one.value for one in attack_counts(threats, ("linf", 0.0314))] == [1, 0, 0]
    assert [one.value for one in attack_counts(threats, ("linf", 1 / 255))] == [1, 1, 1]


def test_any_of_several_iterated_attacks_answers_for_the_weak_ones():
    threats = THREATS | {"bim": Threat("iterated", "linf", 0.1)}
    success = {"pgd": "100", "bim": "010", "fgsm": "111", "noise": "111"}
    assert only(success, threats) == {"single_step": "001", "noise": "000"}


def test_what_an_ensemble_finds_beyond_the_iterated_attacks_is_told_apart():
    threats = THREATS | {"aa": Threat("ensemble", "linf", 0.1)}
    success = {"pgd": "100", "fgsm": "000", "noise": "001", "aa": "111"}
    assert only(success, threats) == {"single_step": "000", "noise": "001", "ensemble": "011"}


def test_what_resists_the_cross_entropy_is_correct_and_falls_to_no_attack_that_climbs_it():
    threats = THREATS | {"margin": Threat("iterated", "linf", 0.1, "pgd", "margin")}
    success = {"pgd": "1000", "fgsm": "0100", "noise": "0000", "margin": "1110"}
    one = found(success, threats, correct="1110")
    assert bits(one.resists_cross_entropy) == "0010"


def test_an_adaptive_attack_that_finds_less_than_the_plain_one_with_its_steps_falls_short():
    threats = THREATS | {
        "adaptive": Threat("adaptive", "linf", 0.1, "adaptive", "", (10, 1)),
        "long": Threat("iterated", "linf", 0.1, "pgd", "margin", (100, 1)),
    }
    success = {"fgsm": "00000", "noise": "00000", "long": "11111"}
    weak = found(success | {"pgd": "11110", "adaptive": "10001"}, threats)
    value = next(v for v in measurements(weak, {}) if v.quantity == "adaptive_shortfall")
    assert value.value == pytest.approx((3 - 1) / 5) and value.low < value.value < value.high
    strong = found(success | {"pgd": "11110", "adaptive": "11111"}, threats)
    value = next(v for v in measurements(strong, {}) if v.quantity == "adaptive_shortfall")
    assert value.value == pytest.approx(-1 / 5)


def test_of_several_adaptive_attacks_the_one_that_falls_shortest_is_told():
    kind = Threat("adaptive", "linf", 0.1, "adaptive", "", (10, 1))
    success = {"pgd": "1110", "fgsm": "0000", "noise": "0000", "good": "1111", "weak": "0000"}
    for order in (("good", "weak"), ("weak", "good")):
        one = found(success, THREATS | dict.fromkeys(order, kind))
        assert [bits(mask) for mask in one.shortfall] == ["1110", "0000"]


def test_examples_of_another_network_say_nothing_of_this_ones_gradients_or_its_adaptive_attack():
    moved = THREATS["pgd"].transferred()
    assert moved == Threat("black_box", "linf", 0.1)
    adaptive = Threat("adaptive", "linf", 0.1, "adaptive", "", (10, 1))
    threats = THREATS | {"adaptive": adaptive, "pgd from the twin": moved}
    success = {"pgd": "1000", "fgsm": "0000", "noise": "0000", "adaptive": "1000"}
    one = found(success | {"pgd from the twin": "0111"}, threats)
    assert bits(one.resists_cross_entropy) == bits(one.resists_gradients) == "0111"
    assert bits(one.only["black_box"]) == "0111"
    assert [bits(mask) for mask in one.shortfall] == ["0000", "0000"]


def test_fractions_are_of_all_images_and_what_noise_breaks_also_of_those_that_resist_the_rest():
    threats = THREATS | {"aa": Threat("ensemble", "linf", 0.1, "autoattack")}
    success = {"pgd": "1000", "fgsm": "0000", "noise": "0100", "aa": "0000"}
    one = found(success, threats, correct="1110")
    values = {value.quantity: value for value in measurements(one, one.only)}
    assert (values["robust_accuracy"].value, values["robust_accuracy"].n) == (1 / 4, 4)
    assert values["noise_only_fraction"].value == 1 / 4
    assert (values["noise_only_rate"].value, values["noise_only_rate"].n) == (1 / 2, 2)
    assert [value.value for value in attack_counts(threats, ("linf", 0.1))] == [2, 1, 0]
