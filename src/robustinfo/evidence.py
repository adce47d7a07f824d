"""From what attacks and diagnostics say of one network to the numbers that the verdict asks for."""

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from robustinfo.judging import Thresholds
from robustinfo.maths.intervals import LEVEL

# Quantities that are evidence as they are; of several entries that ask the same, the worst.
WORST = {
    name: max
    for name in (
        "infeasible_share", "miscounted_share", "unfinite_share", "probabilities_share",
        "batch_dependent_share", "weights_changed", "zero_gradient_share", "never_rises_share",
        "noise_only_share", "single_step_only_share", "black_box_only_share", "ensemble_only_share",
        "forwards_differ_share", "no_gradient_share", "adaptive_only_share", "still_rising_share",
        "log_probabilities_share",
    )
} | {"gradient_attacks": max, "planted_found_high": min}  # fmt: skip
# What is said of a network that answers differently every time would be said of chance: an image
# falls to whoever asks once more.
RANDOM = 0.05  # share of the images; less is a slip of the arithmetic, and hides nothing
OF_FIXED_ANSWERS = (
    "miscounted_share", "zero_epsilon_gap", "batch_dependent_share", "planted_found_high",
    "rise_with_epsilon", "accuracy_at_huge_epsilon", "still_rising_share", "noise_only_share",
    "single_step_only_share", "black_box_only_share", "adaptive_only_share",
    "ensemble_only_share", "doubled_gain",
)  # fmt: skip


class Said(NamedTuple):
    """One number of one network: the entry that says it, the quantity, its level if it is swept."""

    entry: str
    quantity: str
    level: float | None
    value: float


def evidence(said: Iterable[Said], thresholds: Thresholds) -> dict[str, float]:
    """The value of each check that what was said can answer."""
    said = list(said)
    found = {
        name: worst(values)
        for name, worst in WORST.items()
        if (values := [one.value for one in said if one.quantity == name])
    }
    found |= _curve(said, thresholds) | _doubled(said)
    for one in said:
        if (one.entry, one.quantity) == ("clean", "accuracy"):
            found["clean_accuracy"] = one.value
    if "accuracy_at_zero" in found:
        gap = abs(found.pop("accuracy_at_zero") - found["clean_accuracy"])
        found["zero_epsilon_gap"] = gap
    if found.get("forwards_differ_share", 0.0) > RANDOM:
        found = {name: value for name, value in found.items() if name not in OF_FIXED_ANSWERS}
    return found


def _doubled(said: list[Said]) -> dict[str, float]:
    """The largest gain of doubled steps or restarts that is none of chance."""
    chance = {one.entry: one.value for one in said if one.quantity == "doubled_p"}
    gains = [
        one.value if chance[one.entry] < 1 - LEVEL else 0.0
        for one in said
        if one.quantity == "doubled_gain"
    ]
    return {"doubled_gain": max(gains)} if gains else {}


def _curve(said: list[Said], thresholds: Thresholds) -> dict[str, float]:
    """What accuracy under attack does as epsilon grows."""
    curve = {
        one.level: one.value
        for one in said
        if (one.entry, one.quantity) == (thresholds.epsilon_curve, "attack_accuracy")
    }
    if not curve:
        return {}
    levels = sorted(curve)
    rises = [curve[b] - curve[a] for a, b in pairwise(levels)]
    huge = [curve[level] for level in levels if level >= thresholds.huge_epsilon]
    found = {"rise_with_epsilon": max([0.0, *rises])}
    if huge:
        found["accuracy_at_huge_epsilon"] = max(huge)
    if 0.0 in curve:
        found["accuracy_at_zero"] = curve[0.0]
    return found
