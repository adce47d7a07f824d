"""The verdict: what a defence's numbers support, as classes from worst to best.

The checks are those that the literature asks of every evaluation (Carlini et al. 2019, arXiv
1902.06705; Athalye et al. 2018, arXiv 1802.00420; Tramèr et al. 2020, arXiv 2002.08347; Zimmermann
et al. 2022, arXiv 2206.13991). Each is a number, a threshold, and the class that a failure puts the
defence in. The worst class wins. A question that was not asked reads ``not run`` and decides
nothing; a note is printed and decides nothing either.
"""

import math
import operator
from collections.abc import Mapping
from typing import NamedTuple

from robustinfo.faults import Fault
from robustinfo.settings import Fraction01, Number, Settings

ADAPTIVE = "randomised / needs adaptive"
HOLDS = "holds against what was tried"
CLASSES = ("invalid", "masked", ADAPTIVE, "not converged", "broken", "no benefit", HOLDS)
NOTE = "note"
SIGNS = {
    "at most": operator.le, "below": operator.lt, "at least": operator.ge, "above": operator.gt,
}  # fmt: skip


class Thresholds(Settings):
    twin: str  # the undefended defence that every other one is held against
    epsilon_curve: str = "epsilon_curve"  # the diagnostic that sweeps attack_accuracy over epsilon
    huge_epsilon: Number = 0.5  # from here on, an attack may paint any image
    gradient_attacks: Number = 1
    infeasible_share: Fraction01 = 0.0
    miscounted_share: Fraction01 = 0.01  # rounding decides on which side of a boundary an image is
    unfinite_share: Fraction01 = 0.0
    probabilities_share: Fraction01 = 0.5
    batch_dependent_share: Fraction01 = 0.0
    weights_changed: Fraction01 = 0.0
    zero_epsilon_gap: Fraction01 = 0.01
    twin_robust_accuracy: Fraction01 = 0.05  # the attacks must break the undefended twin
    planted_found_high: Fraction01 = 0.95
    zero_gradient_share: Fraction01 = 0.05
    never_rises_share: Fraction01 = 0.05
    rise_with_epsilon: Fraction01 = 0.01
    noise_only_share: Fraction01 = 0.01
    single_step_only_share: Fraction01 = 0.01
    black_box_only_share: Fraction01 = 0.03
    black_box_only_images: Number = 3  # fewer may be chance
    some_images: Number = 2  # the same for all other shares of images that should be (nearly) none
    forwards_differ_share: Fraction01 = 0.0
    no_gradient_share: Fraction01 = 0.05
    adaptive_only_share: Fraction01 = 0.01
    doubled_gain: Fraction01 = 0.01
    robust_accuracy: Fraction01 = 0.05  # or chance, where that is more
    still_rising_share: Fraction01 = 0.1
    log_probabilities_share: Fraction01 = 0.5
    ensemble_only_share: Fraction01 = 0.15  # honest small networks reach that
    information_at_ceiling_share: Fraction01 = 0.5


class Check(NamedTuple):
    """One question to an evaluation. ``failed`` is None where it was not asked."""

    name: str
    value: float | None
    passes: str | None  # a key of SIGNS: how the value must stand to the threshold
    threshold: float | None
    verdict: str  # the class of a defence that fails it
    failed: bool | None


# name: (how the value must stand to the threshold, the class of a failure), worst first.
RULES = {
    "gradient_attacks": ("at least", "invalid"),
    "infeasible_share": ("at most", "invalid"),
    "miscounted_share": ("at most", "invalid"),
    "unfinite_share": ("at most", "invalid"),
    "probabilities_share": ("at most", "invalid"),
    "batch_dependent_share": ("at most", "invalid"),
    "weights_changed": ("at most", "invalid"),
    "zero_epsilon_gap": ("at most", "invalid"),
    "clean_accuracy": ("at least", "invalid"),
    "twin_robust_accuracy": ("at most", "invalid"),
    "planted_found_high": ("at least", "masked"),  # the attack is blind on this network
    "zero_gradient_share": ("at most", "masked"),
    "never_rises_share": ("at most", "masked"),
    "accuracy_at_huge_epsilon": ("at most", "masked"),
    "rise_with_epsilon": ("at most", "masked"),
    "noise_only_share": ("below", "masked"),
    "single_step_only_share": ("at most", "masked"),
    "black_box_only_share": ("at most", "masked"),
    "forwards_differ_share": ("at most", ADAPTIVE),
    "no_gradient_share": ("at most", ADAPTIVE),
    "adaptive_only_share": ("at most", ADAPTIVE),
    "doubled_gain": ("at most", "not converged"),
    "still_rising_share": ("at most", "not converged"),
    "robust_accuracy": ("above", "broken"),  # no better than guessing
    "robust_low": ("above", "no benefit"),  # not surely better
    "gain_over_twin": ("above", "no benefit"),
    "gain_where_information_fell": ("above", "no benefit"),
    "log_probabilities_share": ("at most", NOTE),
    "ensemble_only_share": ("at most", NOTE),
    "information_at_ceiling_share": ("at most", NOTE),
    "information_over_chance": ("above", NOTE),
}
# Shares of images that are (nearly) none in a sound evaluation: a single image may be chance.
FEW = (
    "miscounted_share", "zero_epsilon_gap", "accuracy_at_huge_epsilon", "rise_with_epsilon",
    "noise_only_share", "single_step_only_share", "black_box_only_share", "adaptive_only_share",
)  # fmt: skip
DECIDING = [name for name, (_, verdict) in RULES.items() if verdict != NOTE]


def least_accuracy(classes: float) -> float:
    """The clean accuracy below which a network is undertrained and shows nothing.

    Twice the chance 1/K, or half-way from chance to 1 where that is less (two or three classes).
    """
    return min(2 / classes, (1 + 1 / classes) / 2)


def judge(evidence: Mapping[str, float | None], thresholds: Thresholds) -> tuple[str, list[Check]]:
    """The verdict and every check behind it, in the order of RULES.

    evidence: classes (K), n (images), and the value of every check that was asked, see
    ``evidence.py``; one that is None or missing was not. Raises Fault if one of them is NaN: a
    question that found no answer would pass as answered.
    """
    missing = [name for name, value in evidence.items() if value is not None and math.isnan(value)]
    if missing:
        raise Fault(f"no verdict: {', '.join(missing)} is NaN; the study lacks its evidence")
    chance, n = 1 / evidence["classes"], evidence["n"]
    limits = thresholds.model_dump() | {
        "clean_accuracy": least_accuracy(evidence["classes"]),
        "accuracy_at_huge_epsilon": chance,
        "robust_accuracy": (least := max(chance, thresholds.robust_accuracy)),
        "robust_low": least,
    }
    for name in FEW:
        black = name == "black_box_only_share"
        some = thresholds.black_box_only_images if black else thresholds.some_images
        # An image is 1/n, and a difference of fractions is not exact.
        limits[name] = max(limits[name], (some - 0.5) / n)
    checks = []
    for name, (passes, verdict) in RULES.items():
        value = evidence.get(name)
        if value is None:
            checks.append(Check(name, None, None, None, verdict, None))
            continue
        threshold = limits.get(name, 0.0)
        failed = not SIGNS[passes](value, threshold)
        checks.append(Check(name, value, passes, threshold, verdict, failed))
    failed = {check.verdict for check in checks if check.failed}
    return next((one for one in CLASSES if one in failed), HOLDS), checks
