"""Judgement of one claim in one setting: its estimate, and the decision or why there is none."""

import math
from collections.abc import Sequence

import pandas as pd

from pipeline.results.claim_statistic import claim_estimate
from pipeline.results.statistics import min_images, select_rows
from pipeline.study.claim import Claim, statistic_text
from robustinfo.evaluation.checks import least_accuracy
from robustinfo.maths.statistics import LEVEL, Estimate, p_value, unknown

# In this order: the first that holds is the judgement.
UNDECIDABLE = ("undertrained", "saturated", "confounded")
SATURATED_MAJORITY = (
    0.5  # fraction of a side's values at their ceiling, from which on it is saturated
)
HEADROOM = 0.1  # of clean accuracy above a threshold on harder images
CLEAN = {"stage": "diagnose", "entry": "clean", "quantity": "accuracy"}
# Accuracy on harder images: clean accuracy bounds it.
HARDER = {
    "stage": ["attack", "transfer", "distort", "diagnose"],
    "quantity": ["accuracy", "attack_accuracy", "robust_accuracy"],
}


def judge_claim(
    results: pd.DataFrame, claim: Claim, outcomes: pd.DataFrame | None = None
) -> dict | None:
    """Estimate and uncorrected judgement of one claim; None where a selection has no rows.

    results: rows of one setting. outcomes: per image, of the same setting, where known.
    """
    of, against = select_rows(results, claim.of), None
    if claim.against is not None:
        against = select_rows(results, claim.against)
    if of.empty or (against is not None and against.empty):
        return None
    estimate = claim_estimate(of, against, claim, outcomes)
    sides = [side for side in (of, against) if side is not None]
    saturated, saturation_text = _saturation(sides, claim)
    p = p_value(estimate, claim.threshold)
    reasons = (
        _undertrained_network(results, sides, claim),
        saturation_text if saturated >= SATURATED_MAJORITY or (claim.alike and saturated) else "",
        _confounder(results, claim),
    )
    undecidable = [pair for pair in zip(UNDECIDABLE, reasons, strict=True) if pair[1]]
    judgement, reason = (*undecidable, _decision(estimate, p, claim))[0]
    numbers = {"p": p, "n": min_images(*sides), "saturated": saturated}
    return (
        _statistic_columns(claim, estimate) | numbers | {"uncorrected": judgement, "reason": reason}
    )


def undecided_claim(claim: Claim, reason: str) -> dict:
    """The columns of a claim without any value in a setting: undecided, for the reason."""
    numbers = {"p": math.nan, "n": None, "saturated": math.nan}
    columns = _statistic_columns(claim, unknown(math.nan, 0))
    return columns | numbers | {"uncorrected": "undecided", "reason": reason}


def _statistic_columns(claim: Claim, estimate: Estimate) -> dict:
    low, high = estimate.interval
    interval_columns = {"value": estimate.value, "low": low, "high": high}
    return (
        {"statistic": statistic_text(claim)}
        | interval_columns
        | {"scope": estimate.scope, "seeds": estimate.seeds}
    )


def min_clean_accuracy(claim: Claim, sides: Sequence[pd.DataFrame], classes: float) -> float:
    """The clean accuracy below which a network is undertrained for the claim.

    ``checks.least_accuracy``. Where the claim compares accuracy under attack, or on distorted
    images, with a threshold, clean accuracy must exceed that threshold by a tenth, or by half of
    the distance up to 1: otherwise attacks could not decide the claim.
    """
    minimum = least_accuracy(classes)  # type: ignore[arg-type]  # whole, from a table
    is_harder = (
        len(select_rows(sides[0], HARDER)) == len(sides[0]) and select_rows(sides[0], CLEAN).empty
    )
    if len(sides) == 1 and claim.comes_to == "mean" and is_harder:
        return max(minimum, claim.threshold + min(HEADROOM, (1 - claim.threshold) / 2))
    return minimum


def _decision(estimate: Estimate, p: float, claim: Claim) -> tuple[str, str]:
    """(judgement, reason): the reason is empty unless the claim is undecided."""
    if estimate.seeds < 2 and estimate.scope != "exact":
        return "undecided", "one seed"
    if math.isnan(p):
        return "undecided", "no interval: equal seeds, and nothing is known of the images"
    if p >= 1 - LEVEL:
        return "undecided", "the interval holds the threshold"
    below = estimate.value < claim.threshold
    return ("supported" if below == (claim.expect == "below") else "not supported"), ""


def _saturation(sides: Sequence[pd.DataFrame], claim: Claim) -> tuple[float, str]:
    """The greatest fraction of saturated values in a group of a side, and a sentence on it.

    Of groups that must all show a claim, one that cannot show it is enough.
    """
    groups = [
        (rows.saturated.eq("True").mean(), ", ".join(map(str, key)))
        for side in sides
        for key, rows in side.groupby([claim.worst_over or "quantity"])
    ]
    fraction, group = max(groups)
    return fraction, f"{fraction:.0%} of a side's values are at their ceiling: {group}"


def _confounder(results: pd.DataFrame, claim: Claim) -> str:
    """Sentence on a control that differs between the sides by more than allowed; empty if none."""
    for condition in claim.alike:
        per_seed = [
            select_rows(results, condition.for_side(side)).groupby("seed").value.mean()
            for side in (claim.of, claim.against or {})
        ]
        pairs = pd.concat(per_seed, axis=1)
        if pairs.empty:
            return f"{condition.where['quantity']} is not known"
        for seed, (a, b) in pairs.iterrows():
            if not abs(a - b) <= condition.within * max(
                abs(a), abs(b)
            ):  # nor where one is not known
                values = f"{condition.where['quantity']} {a:.3g} against {b:.3g}"
                return (
                    f"seed {seed}: {values}, not alike within {condition.within:g} of the greater"
                )
    return ""


def _undertrained_network(
    results: pd.DataFrame, sides: Sequence[pd.DataFrame], claim: Claim
) -> str:
    """Sentence on a network whose clean accuracy is too low for the claim; empty if none is."""
    defences = sorted({defence for side in sides for defence in side.defence})
    clean = select_rows(results, CLEAN | {"defence": defences})
    if clean.empty:  # a toy trains no network
        return ""
    minimum = min_clean_accuracy(claim, sides, results[results.quantity == "classes"].value.iloc[0])
    lowest = clean.groupby(["defence", "seed"]).value.mean().sort_values()
    (defence, seed), value = lowest.index[0], lowest.iloc[0]
    if value >= minimum:
        return ""
    return f"{defence}, seed {seed}: clean accuracy {value:.3g} is below {minimum:.3g}"
