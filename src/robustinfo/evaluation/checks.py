"""The checks of an evaluation, one record each: quantity, threshold, class and meaning.

They are the literature's (Carlini et al. 2019, arXiv 1902.06705; Athalye et al. 2018,
arXiv 1802.00420; Tramer et al. 2020, arXiv 2002.08347; Zimmermann et al. 2022, arXiv 2206.13991).
A check reads the measurements of its name. Of several, the worst answer counts. Judge, pipeline,
report, documentation and the table of planted defects read this list and nothing else.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

ADAPTIVE = "randomised / needs adaptive"
NOT_ENOUGH = "not enough was tried"
HOLDS = "holds against what was tried"
# From worst to best. The worst class that a check surely fails is the verdict.
CLASSES = (
    "invalid", "masked", ADAPTIVE, "not converged", "broken", "no benefit", NOT_ENOUGH, HOLDS,
)  # fmt: skip
# Exit codes of the command; 1 is an error and 2 a wrong option.
EXITS = {name: 10 + place for place, name in enumerate(CLASSES[:6])} | {NOT_ENOUGH: 16, HOLDS: 0}
UNTRUSTED = CLASSES[:4]  # where better attacks may break more
NOTE = "note"  # printed, and decides nothing
AT_MOST, AT_LEAST, ABOVE = "at most", "at least", "above"
SIGNS = {AT_MOST: "≤", AT_LEAST: "≥", ABOVE: ">"}


class Check(NamedTuple):
    """One check. The threshold may depend on the number of classes K."""

    name: str  # the quantity that it reads
    rule: str  # AT_MOST, AT_LEAST or ABOVE the threshold
    threshold: float | Callable[[int], float]
    verdict: str  # the class of a network that surely fails it, or NOTE
    meaning: str  # of a failure, and what to do about it
    sampled: bool = True  # whether the value is an estimate from images, not a fact of the run
    tolerance: int = 0  # of a fact: so many images may be chance or rounding
    fixed_answers: bool = False  # only for deterministic networks
    required: bool = False  # without an answer the verdict is never HOLDS
    fails_below: float | None = None  # it fails only below this, and not at the threshold


def chance(classes: int) -> float:
    """Accuracy of a random guess."""
    return 1 / classes


def most_surviving(classes: int) -> float:
    """The accuracy of a guess, but at least 1 %, as a protocol's images cannot resolve less."""
    return max(chance(classes), 0.01)


def least_accuracy(classes: int) -> float:
    """The clean accuracy below which a network is undertrained and shows nothing.

    Twice the chance 1/K, or half-way from chance to 1 where that is less (two or three classes).
    """
    return min(2 / classes, (1 + 1 / classes) / 2)


def least_robust(classes: int) -> float:
    """The accuracy of a guess, but at least 5 %."""
    return max(chance(classes), 0.05)


def _fact(*about: Any, **more: Any) -> Check:  # noqa: ANN401
    return Check(*about, **more)._replace(sampled=False)


CHECKS = (
    _fact("gradient_attacks", AT_LEAST, 1, "invalid",
          "No attack climbed a gradient and iterated: nothing has been tried.", required=True),
    _fact("infeasible_fraction", AT_MOST, 0, "invalid",
          "An attack returned images outside the ball or [0, 1]: mend the attack."),
    _fact("miscounted_fraction", AT_MOST, 0.01, "invalid",
          "An attack counts images that were wrong when clean, or are right now, or does not count "
          "images that it turned: mend the attack.",
          tolerance=1, fixed_answers=True),
    _fact("nonfinite_fraction", AT_MOST, 0, "invalid",
          "Outputs are NaN or infinite: mend the network."),
    _fact("probabilities_fraction", AT_MOST, 0.5, "invalid",
          "The network gives probabilities: leave out its softmax."),
    _fact("batch_dependent_fraction", AT_MOST, 0, "invalid",
          "Answers depend on the batch although the network was put into eval mode: keep its "
          "statistics fixed.",
          fixed_answers=True),
    _fact("weights_changed", AT_MOST, 0, "invalid",
          "The network changes as it is asked: it is not in eval mode."),
    _fact("certified_broken_fraction", AT_MOST, 0, "invalid",
          "Attacks turned images that a bound proves robust: the network is not computed as it is "
          "written (rounding, other answers from time to time), or an attack or the bound errs.",
          fixed_answers=True),
    _fact("zero_epsilon_gap", AT_MOST, 0.01, "invalid",
          "An epsilon of 0 changes the accuracy: something else is attacked.",
          tolerance=1, fixed_answers=True),
    Check("clean_accuracy", AT_LEAST, least_accuracy, "invalid",
          "The network hardly classifies clean images: other data, or more training.",
          required=True),
    Check("twin_robust_accuracy", AT_MOST, 0.05, "invalid",
          "The undefended twin withstands the attacks: a small epsilon, or weak attacks."),
    Check("adaptive_shortfall", AT_MOST, 0.01, "invalid",
          "The adaptive attack finds less than the plain one with its steps: it is no adaptive "
          "attack; weigh the two losses anew.", fixed_answers=True),
    Check("binarization_missed_fraction", AT_MOST, 0.05, "masked",
          "Gradient attacks miss adversarial examples planted for them: they are blind here.",
          fixed_answers=True),
    Check("flat_fraction", AT_MOST, 0.05, "masked",
          "The logits change within the ball and their gradient is 0 everywhere: attack through a "
          "differentiable stand-in.", required=True),
    Check("hidden_fraction", AT_MOST, 0.05, "masked",
          "Where the cross-entropy has no slope gradient attacks fail, and others succeed: add one "
          "on the margin.", required=True),
    Check("never_rises_fraction", AT_MOST, 0.05, "masked",
          "The log-odds of an error never rise along the attack: the gradient leads nowhere."),
    Check("accuracy_at_huge_epsilon", AT_MOST, most_surviving, "masked",
          "Images survive an attack that may paint anything: it fails.", fixed_answers=True),
    Check("rise_with_epsilon", AT_MOST, 0.01, "masked",
          "More epsilon leaves more images: the attack fails.", fixed_answers=True),
    Check("noise_only_fraction", AT_MOST, 0.01, "masked",
          "Noise breaks what long gradient attacks do not: gradients mislead.",
          fixed_answers=True),
    Check("single_step_only_fraction", AT_MOST, 0.01, "masked",
          "A single step breaks what many do not: gradients mislead.", fixed_answers=True),
    Check("black_box_only_fraction", AT_MOST, 0.03, "masked",
          "Answers or transfers break what long gradient attacks do not: gradients are masked.",
          fixed_answers=True),
    _fact("forwards_differ_fraction", AT_MOST, 0, ADAPTIVE,
          "Answers differ from time to time: attack their mean."),
    Check("no_gradient_fraction", AT_MOST, 0.05, ADAPTIVE,
          "There is no gradient: attack through a differentiable stand-in."),
    Check("adaptive_only_fraction", AT_MOST, 0.01, ADAPTIVE,
          "Who knows the defence breaks more: believe that attack.", fixed_answers=True),
    Check("short_search_fraction", AT_MOST, 0.03, "not converged",
          "A longer gradient attack finds what only weaker attacks had found: give the attacks "
          "more steps, restarts and losses.", fixed_answers=True),
    Check("convergence_gain", AT_MOST, 0.01, "not converged",
          "Twice the steps, from the same starts, break more: give the attacks more.",
          fixed_answers=True, required=True),
    Check("unconverged_fraction", AT_MOST, 0.1, "not converged",
          "Paths end far from a stationary point (FOSC): more, or smaller, steps.",
          fixed_answers=True),
    Check("robust_accuracy", ABOVE, least_robust, "broken",
          "No more is left than by guessing.", required=True),
    Check("gain_over_twin", ABOVE, 0, "no benefit",
          "It is no more robust than its undefended twin, by 5 points at most.",
          fails_below=0.05),
    Check("gain_where_information_fell", ABOVE, 0, "no benefit",
          "Information fell, and robustness rose by 5 points at most.", fails_below=0.05),
    _fact("autoattack_attacks", AT_LEAST, 1, NOT_ENOUGH,
          "AutoAttack was not made: make it. It takes four classes or more.", required=True),
    _fact("decision_based_attacks", AT_LEAST, 1, NOT_ENOUGH,
          "No attack asked for labels alone: make one, such as hop_skip_jump.", required=True),
    _fact("log_probabilities_fraction", AT_MOST, 0.5, NOTE,
          "The network gives log-probabilities, which do no harm."),
    Check("restarts_gain", AT_MOST, 0.01, NOTE,
          "As many random starts again break more of what was left: give the attacks more.",
          fixed_answers=True),
    Check("ensemble_only_fraction", AT_MOST, 0.15, NOTE,
          "AutoAttack finds much that PGD does not: believe AutoAttack.", fixed_answers=True),
    _fact("information_at_ceiling_fraction", AT_MOST, 0.5, NOTE,
          "Most estimates of information sit at their ceiling."),
    _fact("information_over_chance", ABOVE, 0, NOTE,
          "A measure of information is no better than of shuffled samples."),
)  # fmt: skip
BY_NAME = {check.name: check for check in CHECKS}
DECIDING = [check.name for check in CHECKS if check.verdict != NOTE]
# Above this fraction of differing forwards, checks with ``fixed_answers`` would depend on chance.
RANDOM_FRACTION = 0.05
