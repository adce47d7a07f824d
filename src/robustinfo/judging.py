"""The verdict: what a defence's numbers support, as classes from worst to best.

The checks are those that the literature asks of every evaluation (Carlini et al. 2019, arXiv
1902.06705; Athalye et al. 2018, arXiv 1802.00420; Tramèr et al. 2020, arXiv 2002.08347). Each is a
number, a threshold, and the class that a failure puts the defence in. The worst class wins.
"""

import math
import operator
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from robustinfo.faults import Fault
from robustinfo.settings import Fraction01, Number, Settings

CLASSES = (
    "invalid",
    "masked",
    "needs adaptive",
    "not converged",
    "broken",
    "no benefit",
    "holds against what was tried",
)
SIGNS = {"at most": operator.le, "at least": operator.ge, "above": operator.gt}


class Thresholds(Settings):
    twin: str  # the undefended defence that every other one is held against
    epsilon_curve: str = "epsilon_curve"  # the diagnostic that sweeps attack_accuracy over epsilon
    huge_epsilon: Number = 0.5  # from here on, an l-infinity attack may paint any image
    infeasible_share: Fraction01 = 0.0
    twin_robust_accuracy: Fraction01 = 0.05  # the attacks must break the undefended twin
    zero_gradient_share: Fraction01 = 0.05
    rise_with_epsilon: Fraction01 = 0.01
    noise_only_share: Fraction01 = 0.01
    single_step_only_share: Fraction01 = 0.01
    adaptive_only_share: Fraction01 = 0.01
    black_box_only_share: Fraction01 = 0.03


# The roles of attacks, and those of the attacks that should find no less. An iterated gradient
# attack is what all others are held against.
BEATEN_BY = {
    "noise": ("single_step", "iterated", "adaptive"),
    "single_step": ("iterated", "adaptive"),
    "adaptive": ("single_step", "iterated"),
    "black_box": ("single_step", "iterated", "adaptive"),
}
ROLES = (*BEATEN_BY, "iterated")


class Threat(NamedTuple):
    """What an attack may do, and what kind of attack it is (its file's ROLE)."""

    role: str
    norm: str
    epsilon: float | None


class Check(NamedTuple):
    """One question to an evaluation. ``failed`` is None where it was not asked."""

    name: str
    value: float | None
    passes: str | None  # a key of SIGNS: how the value must stand to the threshold
    threshold: float | None
    verdict: str  # the class of a defence that fails it
    failed: bool | None


def worst_case(success: Mapping[str, Tensor], threats: Mapping[str, Threat]) -> dict[str, Tensor]:
    """Per image, over all attacks of a threat model: what broke it, and what alone broke it.

    success: (n,) bool per attack. Returns (n,) bool masks: ``broken`` (by any attack that has an
    epsilon); ``noise_only`` and ``single_step_only`` (by that, and by no stronger attack of the
    same norm and epsilon); ``adaptive_only`` and ``black_box_only`` (by that, and by no gradient
    attack of the same norm and epsilon, for the first one that does not know the defence), which
    are missing where there is none to compare.
    """
    nothing = torch.zeros_like(next(iter(success.values())))

    def broken(like: Threat, *roles: str) -> Tensor:
        names = [n for n, t in threats.items() if t[1:] == like[1:] and t.role in roles]
        return torch.stack([nothing, *(success[n] for n in names)]).any(0)

    masks = {name: nothing.clone() for name in ("broken", "noise_only", "single_step_only")}
    for name, threat in threats.items():
        if threat.epsilon is None:
            continue
        masks["broken"] |= success[name]
        if not any(t.role == "iterated" and t[1:] == threat[1:] for t in threats.values()):
            continue  # no stronger attack was there to compare with
        if threat.role in BEATEN_BY:
            only = f"{threat.role}_only"
            alone = success[name] & ~broken(threat, *BEATEN_BY[threat.role])
            masks[only] = masks.get(only, nothing) | alone
    return masks


def least_accuracy(classes: float) -> float:
    """The clean accuracy below which a network is undertrained and shows nothing.

    Twice the chance 1/K, or half-way from chance to 1 where that is less (two or three classes).
    """
    return min(2 / classes, (1 + 1 / classes) / 2)


def judge(evidence: Mapping[str, float | None], thresholds: Thresholds) -> tuple[str, list[Check]]:
    """The verdict and every check behind it.

    evidence, fractions of the images: classes (K), clean_accuracy, infeasible_share,
    zero_gradient_share, accuracy_at_huge_epsilon, rise_with_epsilon, noise_only_share,
    single_step_only_share; adaptive_only_share and black_box_only_share (None if no such attack
    could be compared); twin_robust_accuracy, robust_low (the lower end of robust accuracy's
    interval), gain_over_twin (by how much that end lies above the upper end of the twin's). Raises
    Fault if one of them is NaN: a question that was not asked would pass as answered.
    """
    e, t = evidence, thresholds
    missing = [name for name, value in e.items() if isinstance(value, float) and math.isnan(value)]
    if missing:
        raise Fault(f"no verdict: {', '.join(missing)} is NaN; the study lacks its evidence")
    chance = 1 / e["classes"]

    def not_run(name: str, verdict: str) -> Check:
        return Check(name, None, None, None, verdict, None)

    def check(name: str, passes: str, threshold: float, verdict: str) -> Check:
        if e[name] is None:
            return not_run(name, verdict)
        good = SIGNS[passes](e[name], threshold)
        return Check(name, e[name], passes, threshold, verdict, not good)

    checks = [
        check("infeasible_share", "at most", t.infeasible_share, "invalid"),
        check("clean_accuracy", "at least", least_accuracy(e["classes"]), "invalid"),
        check("twin_robust_accuracy", "at most", t.twin_robust_accuracy, "invalid"),
        check("zero_gradient_share", "at most", t.zero_gradient_share, "masked"),
        check("accuracy_at_huge_epsilon", "at most", chance, "masked"),
        check("rise_with_epsilon", "at most", t.rise_with_epsilon, "masked"),
        check("noise_only_share", "at most", t.noise_only_share, "masked"),
        check("single_step_only_share", "at most", t.single_step_only_share, "masked"),
        check("black_box_only_share", "at most", t.black_box_only_share, "masked"),
        check("adaptive_only_share", "at most", t.adaptive_only_share, "needs adaptive"),
        not_run("steps_and_restarts_doubled", "not converged"),
        check("robust_low", "above", chance, "broken"),  # no better than guessing
        check("gain_over_twin", "above", 0.0, "no benefit"),
    ]
    failed = {check.verdict for check in checks if check.failed}
    return next((c for c in CLASSES if c in failed), CLASSES[-1]), checks
