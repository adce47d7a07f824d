"""Every check alone, with values surely beyond its threshold, near it, and not asked at all."""

import math

import pytest

from robustinfo.core.errors import UserError
from robustinfo.core.measurement import Measurement, count_fraction, exact
from robustinfo.evaluation.checks import (
    ADAPTIVE,
    BY_NAME,
    CHECKS,
    CLASSES,
    DECIDING,
    HOLDS,
    NOT_ENOUGH,
    NOTE,
)
from robustinfo.evaluation.verdict import judge

N = 1000
FACTS = {
    "gradient_attacks": 2, "infeasible_fraction": 0, "miscounted_fraction": 0,
    "nonfinite_fraction": 0, "probabilities_fraction": 0, "batch_dependent_fraction": 0,
    "weights_changed": 0, "zero_epsilon_gap": 0, "forwards_differ_fraction": 0,
    "autoattack_attacks": 1, "decision_based_attacks": 1, "certified_broken_fraction": 0,
}  # fmt: skip
GOOD = {"clean_accuracy": 950, "twin_robust_accuracy": 10, "robust_accuracy": 600}
GAINS = ("gain_over_twin", "gain_where_information_fell")
SIGNED = {"adaptive_shortfall": (-0.2, -0.3, -0.1), "rise_with_epsilon": (0.0, -0.4, 0.005)}
# name: images of 1,000 that surely fail it, as many that nobody can say of.
SURELY = {
    "clean_accuracy": (150, 195, "invalid"),
    "twin_robust_accuracy": (80, 55, "invalid"),
    "binarization_missed_fraction": (80, 55, "masked"),
    "flat_fraction": (80, 55, "masked"),
    "hidden_fraction": (80, 55, "masked"),
    "never_rises_fraction": (80, 55, "masked"),
    "accuracy_at_huge_epsilon": (150, 105, "masked"),
    "noise_only_fraction": (25, 12, "masked"),
    "single_step_only_fraction": (25, 12, "masked"),
    "black_box_only_fraction": (50, 35, "masked"),
    "no_gradient_fraction": (80, 55, ADAPTIVE),
    "adaptive_only_fraction": (25, 12, ADAPTIVE),
    "short_search_fraction": (50, 35, "not converged"),
    "convergence_gain": (25, 12, "not converged"),
    "unconverged_fraction": (150, 105, "not converged"),
    "robust_accuracy": (50, 105, "broken"),
}
FACTS_FAILED = {
    "gradient_attacks": (0, "invalid"), "infeasible_fraction": (0.001, "invalid"),
    "miscounted_fraction": (0.02, "invalid"), "nonfinite_fraction": (0.001, "invalid"),
    "probabilities_fraction": (1, "invalid"), "batch_dependent_fraction": (0.001, "invalid"),
    "certified_broken_fraction": (0.001, "invalid"),
    "weights_changed": (0.1, "invalid"), "zero_epsilon_gap": (0.02, "invalid"),
    "forwards_differ_fraction": (0.001, ADAPTIVE),
    "autoattack_attacks": (0, NOT_ENOUGH), "decision_based_attacks": (0, NOT_ENOUGH),
}  # fmt: skip


def interval(name, value, low, high):
    return Measurement(name, value, "own", N, low, high)


def honest(**other):
    """What an honest network says in a large evaluation, with other values in some places."""
    told = {name: exact(name, value, N) for name, value in FACTS.items()}
    told |= {name: count_fraction(name, GOOD.get(name, 0), N) for name in SURELY}
    told |= {name: interval(name, *numbers) for name, numbers in SIGNED.items()}
    told |= {name: interval(name, 0.5, 0.45, 0.55) for name in GAINS}
    return [one for one in (told | other).values() if one is not None]


def verdict(**other):
    return judge(honest(**other), 10)


def answered(found, name):
    return next(one for one in found.answers if one.check.name == name)


def test_an_honest_network_on_which_nothing_happens_holds_and_every_check_has_passed():
    found = verdict()
    assert found.verdict == HOLDS
    assert found.counts() == {
        "failed": 0, "cannot say": 0, "passed": len(DECIDING), "not run": 0,
    }  # fmt: skip


def test_every_deciding_check_is_tried_here():
    assert {*SURELY, *FACTS_FAILED, *SIGNED, *GAINS} == {*DECIDING}
    assert len({check.name for check in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize("name", SURELY)
def test_a_value_surely_beyond_its_threshold_puts_the_network_in_the_class_of_the_check(name):
    many, _, wanted = SURELY[name]
    found = verdict(**{name: count_fraction(name, many, N)})
    assert found.verdict == wanted and found.failed_classes() == [wanted]
    assert [one.check.name for one in found.answers if one.result == "failed"] == [name]


@pytest.mark.parametrize("name", SURELY)
def test_a_value_whose_interval_holds_the_threshold_cannot_be_said_and_nothing_holds(name):
    _, near, _ = SURELY[name]
    found = verdict(**{name: count_fraction(name, near, N)})
    one = answered(found, name)
    assert (found.verdict, one.result) == (NOT_ENOUGH, "cannot say")
    assert one.low <= one.threshold <= one.high
    more = one.images // N + 1
    assert answered(
        verdict(**{name: count_fraction(name, near * more, N * more)}), name
    ).result != ("cannot say")


@pytest.mark.parametrize("name", FACTS_FAILED)
def test_a_fact_needs_no_interval(name):
    value, wanted = FACTS_FAILED[name]
    found = verdict(**{name: exact(name, value, N)})
    assert found.verdict == wanted and answered(found, name).result == "failed"


@pytest.mark.parametrize("name", GAINS)
@pytest.mark.parametrize(
    "numbers, wanted",
    [
        ((0.0, -0.02, 0.02), "no benefit"),
        ((-0.1, -0.2, -0.05), "no benefit"),
        ((0.04, -0.02, 0.1), NOT_ENOUGH),
        ((0.02, 0.001, 0.04), HOLDS),
    ],
)
def test_a_gain_is_none_where_it_is_surely_small_and_open_where_it_may_be_large(
    name, numbers, wanted
):
    assert verdict(**{name: interval(name, *numbers)}).verdict == wanted


@pytest.mark.parametrize("name", SIGNED)
def test_a_paired_difference_is_held_against_its_threshold_by_its_own_interval(name):
    wanted = BY_NAME[name].verdict
    assert verdict(**{name: interval(name, 0.05, 0.02, 0.08)}).verdict == wanted
    assert verdict(**{name: interval(name, 0.05, 0.0, 0.1)}).verdict == NOT_ENOUGH


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_what_was_not_asked_is_not_run_and_is_never_a_pass(check):
    found = verdict(**{check.name: None})
    assert answered(found, check.name).result == "not run"
    assert found.verdict == (NOT_ENOUGH if check.required else HOLDS)


def test_a_note_is_printed_and_decides_nothing():
    notes = {
        "log_probabilities_fraction": exact("log_probabilities_fraction", 1.0),
        "ensemble_only_fraction": count_fraction("ensemble_only_fraction", 300, N),
        "restarts_gain": count_fraction("restarts_gain", 30, N),
        "information_at_ceiling_fraction": exact("information_at_ceiling_fraction", 0.9),
        "information_over_chance": exact("information_over_chance", -0.1),
    }
    assert {*notes} == {check.name for check in CHECKS if check.verdict == NOTE}
    found = verdict(**notes)
    assert found.verdict == HOLDS
    assert {answered(found, name).result for name in notes} == {"noted"}


def test_the_worst_class_wins():
    told, rank = {}, len(CLASSES) - 1
    failures = {name: count_fraction(name, many, N) for name, (many, *_) in SURELY.items()}
    order = sorted(failures, key=lambda name: -CLASSES.index(BY_NAME[name].verdict))
    for name in order:
        told[name] = failures[name]
        found = CLASSES.index(verdict(**told).verdict)
        assert found <= rank
        rank = found
    assert CLASSES[rank] == "invalid"


def test_of_several_that_say_the_same_the_worst_answer_counts():
    several = [
        count_fraction("hidden_fraction", images, N)._replace(entry=str(images))
        for images in (0, 55, 80)
    ]
    told = [one for one in honest() if one.quantity != "hidden_fraction"]
    assert answered(judge(told + several[:2], 10), "hidden_fraction").entry == "55"
    found = judge(told + several, 10)
    assert (found.verdict, answered(found, "hidden_fraction").entry) == ("masked", "80")


def test_a_gain_of_five_images_of_64_is_no_convergence():
    found = verdict(convergence_gain=count_fraction("convergence_gain", 5, 64))
    assert found.verdict == "not converged"


def test_thirteen_of_sixteen_planted_examples_accuse_nobody():
    found = verdict(
        binarization_missed_fraction=count_fraction("binarization_missed_fraction", 0, 16)
    )
    assert answered(found, "binarization_missed_fraction").result == "cannot say"
    found = verdict(
        binarization_missed_fraction=count_fraction("binarization_missed_fraction", 3, 16)
    )
    assert found.verdict == "masked"  # of those that the long search misses, too


def test_one_image_alone_accuses_nobody():
    name = "binarization_missed_fraction"
    said = answered(verdict(**{name: count_fraction(name, 1, 1)}), name)
    assert said.result == "cannot say" and said.low > said.threshold
    assert said.images is None or said.images >= 2
    assert answered(verdict(**{name: count_fraction(name, 2, 2)}), name).result == "failed"


def test_one_image_of_a_fact_may_be_rounding_where_the_check_allows_for_it():
    assert verdict(miscounted_fraction=exact("miscounted_fraction", 1 / 64, 64)).verdict == HOLDS
    assert verdict(miscounted_fraction=exact("miscounted_fraction", 2 / 64, 64)).verdict == (
        "invalid"
    )


@pytest.mark.parametrize("kind", ["unknown", ""])  # the latter, in a file
def test_a_value_without_a_known_interval_decides_nothing(kind):
    found = verdict(robust_accuracy=Measurement("robust_accuracy", 0.9, kind))
    assert found.verdict == NOT_ENOUGH


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_question_that_found_no_answer_is_no_evidence(check):
    with pytest.raises(UserError, match=f"{check.name} .* is NaN"):
        verdict(**{check.name: exact(check.name, math.nan, N)})


def test_what_would_be_said_of_chance_is_not_said_of_a_network_that_answers_by_chance():
    differ = {"forwards_differ_fraction": exact("forwards_differ_fraction", 1.0, N)}
    failing = {"miscounted_fraction": exact("miscounted_fraction", 0.3, N)}
    found = verdict(**differ, **failing)
    assert found.verdict == ADAPTIVE
    results = {one.check.name: one.result for one in found.answers if one.check.fixed_answers}
    assert {*results.values()} == {"not run"}
    slip = {"forwards_differ_fraction": exact("forwards_differ_fraction", 0.04, N)}
    assert verdict(**slip, **failing).verdict == "invalid"


def test_what_is_above_chance_among_a_thousand_classes_may_be_broken_all_the_same():
    told = honest(robust_accuracy=count_fraction("robust_accuracy", 25, N))
    told = [one for one in told if one.quantity != "accuracy_at_huge_epsilon"]
    assert judge(told, 1000).verdict == "broken"


def test_with_two_classes_twice_chance_is_all_that_can_be_asked():
    assert judge(honest(), 2).verdict == HOLDS
    assert (
        judge(honest(clean_accuracy=count_fraction("clean_accuracy", 600, N)), 2).verdict
        == "invalid"
    )


def test_every_check_says_what_a_failure_means_and_what_to_do():
    assert all(check.meaning.endswith(".") and len(check.meaning) > 25 for check in CHECKS)
