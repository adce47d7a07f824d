"""The quantity of every check in words, and its values with their unit."""

from typing import NamedTuple

from robustinfo.evaluation.checks import BY_NAME
from robustinfo.evaluation.display.numbers import SPACE, percent, plain, points, share
from robustinfo.evaluation.report.schema import Checked

COUNTS = ("gradient_attacks", "autoattack_attacks", "decision_based_attacks")
GAINS = ("gain_over_twin", "gain_where_information_fell")
UNITLESS = ("information_over_chance",)  # in the unit of its measure
MEASURED = {
    "gradient_attacks": "attacks that climb a gradient step by step",
    "infeasible_fraction": "adversarial images outside the ball or outside [0, 1]",
    "miscounted_fraction": "successes that an attack claims wrongly, or passes over in silence",
    "nonfinite_fraction": "images with an output that is NaN or infinite",
    "probabilities_fraction": "images whose outputs are probabilities in place of logits",
    "batch_dependent_fraction": "images whose answer depends on the others of the batch",
    "weights_changed": "tensors of the network that change as it answers",
    "certified_broken_fraction": "images that a bound proves robust, and an attack turned",
    "zero_epsilon_gap": "change of the clean accuracy by an attack with an epsilon of 0",
    "clean_accuracy": "images classified correctly without an attack",
    "twin_robust_accuracy": "images that the undefended twin classifies correctly under attack",
    "adaptive_shortfall": "images that plain PGD breaks and the adaptive attack does not",
    "binarization_missed_fraction": "planted adversarial examples that gradient attacks miss",
    "flat_fraction": "images where logits change and their gradient is 0",
    "hidden_fraction": "images broken by others alone, where the cross-entropy has no slope",
    "never_rises_fraction": "images where the log-odds of an error never rise on the way",
    "accuracy_at_huge_epsilon": "images that survive an attack that may paint anything",
    "rise_with_epsilon": "the most that the accuracy rises as epsilon does",
    "noise_only_fraction": "images that noise breaks, and no gradient attack",
    "single_step_only_fraction": "images that a single step breaks, and many steps do not",
    "black_box_only_fraction": "images that a black box breaks, and no gradient attack",
    "forwards_differ_fraction": "images whose answer differs from time to time",
    "no_gradient_fraction": "images without a gradient",
    "adaptive_only_fraction": "images that only the adaptive attack breaks",
    "short_search_fraction": "images that a longer gradient attack breaks, and the first did not",
    "convergence_gain": "images that twice the steps break, and the steps taken did not",
    "unconverged_fraction": "images whose path ends far from a stationary point",
    "robust_accuracy": "images classified correctly under every attack",
    "gain_over_twin": "robust accuracy beyond that of the undefended twin",
    "gain_where_information_fell": "robust accuracy gained where information fell",
    "autoattack_attacks": "runs of AutoAttack",
    "decision_based_attacks": "attacks that see the predicted label alone",
    "log_probabilities_fraction": "images whose outputs are log-probabilities in place of logits",
    "restarts_gain": "images that as many random starts again break",
    "ensemble_only_fraction": "images that AutoAttack breaks, and PGD does not",
    "information_at_ceiling_fraction": "estimates of information that sit at their ceiling",
    "information_over_chance": "information beyond that of shuffled samples",
}


class CheckText(NamedTuple):
    """The numbers of a check in words; empty where it has none."""

    value: str
    interval: str
    rule: str  # "at most 5 %"
    sample: str  # the images, or planted ones, behind the value


def in_words(one: Checked) -> CheckText:
    """The numbers of a check."""
    if one.value is None or one.threshold is None:
        return CheckText("", "", "", "")
    sample = f"{one.n:,} images" if one.n else ""
    limit = f"{one.rule} {_value(one.check, one.threshold, chosen=True)}"
    return CheckText(_value(one.check, one.value), _interval(one), limit, sample)


def _interval(one: Checked) -> str:
    if not BY_NAME[one.check].sampled:
        return "counted: no interval"
    if one.low is None or one.high is None:
        return "its interval is not known"
    return f"{_value(one.check, one.low)} to {_value(one.check, one.high)}"


def _value(check: str, value: float, *, chosen: bool = False) -> str:
    """A value with its unit. chosen: a threshold, which needs no decimals."""
    if check in COUNTS or check in UNITLESS:
        return plain(value)
    if check in GAINS:
        return f"{plain(100 * value)}{SPACE}points" if chosen else points(value)
    return share(value) if chosen else percent(value)
