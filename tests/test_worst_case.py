"""What broke each image, and what alone broke it, on masks written by hand."""

import pytest
import torch

from robustinfo.worst_case import Threat, shares, worst_case


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


def test_what_an_ensemble_finds_beyond_the_iterated_attacks_is_told_apart():
    threats = THREATS | {"aa": Threat("ensemble", "linf", 0.1)}
    found = worst({"pgd": "100", "fgsm": "000", "noise": "001", "aa": "111"}, threats)
    assert found["ensemble_only"] == "011" and found["broken"] == "111"
    assert found["noise_only"] == "001"  # an ensemble has a black box of its own


def test_shares_are_of_all_images_and_gradient_attacks_are_counted():
    threats = THREATS | {"cw": Threat("iterated", "l2", None), "aa": Threat("ensemble", "linf", 1)}
    success = {"pgd": "1000", "fgsm": "0000", "noise": "0100", "cw": "1111", "aa": "0000"}
    found, stands = shares(
        {name: mask(bits) for name, bits in success.items()}, threats, mask("1110")
    )
    assert stands.tolist() == [False, False, True, False]
    assert found["robust_accuracy"] == (1 / 4, 4) and found["noise_only_share"] == (1 / 4, 4)
    assert found["noise_only_rate"] == (1 / 2, 2)
    assert found["gradient_attacks"][0] == 2  # one has no epsilon
