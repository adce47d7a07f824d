"""One claim in one setting, by itself: its estimate, and what that decides or why it does not."""

import math
from collections.abc import Sequence

import pandas as pd

from pipeline.results.claimed import claimed
from pipeline.results.statistics import chosen, images_of
from pipeline.study.claim import Claim, named
from robustinfo.judge.checks import least_accuracy
from robustinfo.maths.statistics import LEVEL, Estimate, p_value, unknown

UNDECIDABLE = ("undertrained", "saturated", "confounded")  # the first that holds is said
HALF = 0.5  # of the values of a side, at their ceiling
ROOM = 0.1  # of clean accuracy, above what is asked of accuracy on harder images
CLEAN = {"stage": "diagnose", "entry": "clean", "quantity": "accuracy"}
# A part of clean accuracy, which bounds it.
HARDER = {
    "stage": ["attack", "transfer", "distort", "diagnose"],
    "quantity": ["accuracy", "attack_accuracy", "robust_accuracy"],
}


def judged(
    results: pd.DataFrame, claim: Claim, outcomes: pd.DataFrame | None = None
) -> dict | None:
    """One claim in one setting, by itself; None where there is nothing that it speaks of.

    outcomes: per image, of the same setting, where known.
    """
    of, against = chosen(results, claim.of), None
    if claim.against is not None:
        against = chosen(results, claim.against)
    if of.empty or (against is not None and against.empty):
        return None
    found = claimed(of, against, claim, outcomes)
    sides = [side for side in (of, against) if side is not None]
    saturated, full = _saturated(sides, claim)
    p = p_value(found, claim.threshold)
    reasons = (
        _undertrained(results, sides, claim),
        full if saturated >= HALF or (claim.alike and saturated) else "",
        _confounded(results, claim),
    )
    barred = [pair for pair in zip(UNDECIDABLE, reasons, strict=True) if pair[1]]
    verdict, reason = (*barred, _decided(found, p, claim))[0]
    told = {"p": p, "n": images_of(*sides), "saturated": saturated}
    return _line(claim, found) | told | {"uncorrected": verdict, "reason": reason}


def unanswered(claim: Claim, reason: str) -> dict:
    """A claim of which nothing is known in a setting."""
    told = {"p": math.nan, "n": None, "saturated": math.nan}
    line = _line(claim, unknown(math.nan, 0))
    return line | told | {"uncorrected": "undecided", "reason": reason}


def _line(claim: Claim, found: Estimate) -> dict:
    low, high = found.interval
    about = {"value": found.value, "low": low, "high": high}
    return {"statistic": named(claim)} | about | {"scope": found.scope, "seeds": found.seeds}


def least_clean(claim: Claim, sides: Sequence[pd.DataFrame], classes: float) -> float:
    """The clean accuracy below which a network shows nothing of the claim.

    ``checks.least_accuracy``. Of a claim that holds accuracy under attack, or on distorted images,
    against a threshold, clean accuracy must have room above that, for attacks to take or not: a
    tenth, or half of what is left up to 1.
    """
    least = least_accuracy(classes)  # type: ignore[arg-type]  # whole, from a table
    harder = len(chosen(sides[0], HARDER)) == len(sides[0]) and chosen(sides[0], CLEAN).empty
    if len(sides) == 1 and claim.comes_to == "mean" and harder:
        return max(least, claim.threshold + min(ROOM, (1 - claim.threshold) / 2))
    return least


def _decided(found: Estimate, p: float, claim: Claim) -> tuple[str, str]:
    """The judgement, and the reason if there is none."""
    if found.seeds < 2 and found.scope != "exact":
        return "undecided", "one seed"
    if math.isnan(p):
        return "undecided", "no interval: equal seeds, and nothing is known of the images"
    if p >= 1 - LEVEL:
        return "undecided", "the interval holds the threshold"
    below = found.value < claim.threshold
    return ("supported" if below == (claim.expect == "below") else "not supported"), ""


def _saturated(sides: Sequence[pd.DataFrame], claim: Claim) -> tuple[float, str]:
    """The greatest share of a side's values at their ceiling, and where that is, in words.

    Of groups that must all show a claim, one that cannot show it is enough.
    """
    groups = [
        (side.saturated.eq("True").mean(), ", ".join(map(str, key)))
        for whole in sides
        for key, side in whole.groupby([claim.worst_over or "quantity"])
    ]
    share, group = max(groups)
    return share, f"{share:.0%} of a side's values are at their ceiling: {group}"


def _confounded(results: pd.DataFrame, claim: Claim) -> str:
    """Which quantity differs between the sides by more than it may; nothing if none does."""
    for one in claim.alike:
        both = [
            chosen(results, one.of_side(side)).groupby("seed").value.mean()
            for side in (claim.of, claim.against or {})
        ]
        pairs = pd.concat(both, axis=1)
        if pairs.empty:
            return f"{one.where['quantity']} is not known"
        for seed, (a, b) in pairs.iterrows():
            if not abs(a - b) <= one.within * max(abs(a), abs(b)):  # nor where one is not known
                said = f"{one.where['quantity']} {a:.3g} against {b:.3g}"
                return f"seed {seed}: {said}, not alike within {one.within:g} of the greater"
    return ""


def _undertrained(results: pd.DataFrame, sides: Sequence[pd.DataFrame], claim: Claim) -> str:
    """Which network's clean accuracy is too low to show anything; nothing if none's is."""
    defences = sorted({defence for side in sides for defence in side.defence})
    clean = chosen(results, CLEAN | {"defence": defences})
    if clean.empty:  # a toy trains no network
        return ""
    least = least_clean(claim, sides, results[results.quantity == "classes"].value.iloc[0])
    lowest = clean.groupby(["defence", "seed"]).value.mean().sort_values()
    (defence, seed), value = lowest.index[0], lowest.iloc[0]
    if value >= least:
        return ""
    return f"{defence}, seed {seed}: clean accuracy {value:.3g} is below {least:.3g}"
