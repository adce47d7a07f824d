"""Estimate of a claim's statistic in one setting, over seeds and images."""

import math

import numpy as np
import pandas as pd

from pipeline.results.statistics import compare, estimate, is_exact
from pipeline.study.claim import Claim
from robustinfo.maths import statistics
from robustinfo.maths.statistics import Estimate, images

MIN_POINTS = 5  # of a correlation: ranks of fewer agree by chance


def claim_estimate(
    of: pd.DataFrame,
    against: pd.DataFrame | None,
    claim: Claim,
    outcomes: pd.DataFrame | None = None,
) -> Estimate:
    """Estimate of the statistic; with ``worst_over``, of the least favourable group.

    of, against: the rows of the two selections. outcomes: per image, of the same setting
    (``outcomes.read_outcomes``), where known.
    """
    if claim.worst_over is None:
        return _group_estimate(of, against, claim, outcomes)
    column = claim.worst_over
    groups = of[column].unique()
    same_groups = against is None or set(groups) == set(against[column])
    if not len(groups) or not same_groups:  # a group on one side only has no counterpart
        return statistics.unknown(math.nan, of.seed.nunique())
    estimates = []
    for group in groups:
        other_rows = None if against is None else against[against[column] == group]
        estimates.append(_group_estimate(of[of[column] == group], other_rows, claim, outcomes))
    return statistics.worst(estimates, claim.worst)  # type: ignore[arg-type]


def _group_estimate(
    of: pd.DataFrame,
    against: pd.DataFrame | None,
    claim: Claim,
    outcomes: pd.DataFrame | None,
) -> Estimate:
    if claim.statistic == "correlation":
        return _rank_correlation(of, against, claim)
    if claim.comes_to != "mean":
        of = _reduce_series(of, claim)
        against, outcomes = None if against is None else _reduce_series(against, claim), None
    if against is None:
        return estimate(of, outcomes)
    return compare(of, against, claim.statistic, outcomes)


def _reduce_series(rows: pd.DataFrame, claim: Claim) -> pd.DataFrame:
    """A row per seed: the ``fall`` or ``half_rise`` of its series over epochs or levels.

    NaN of a series with a gap. Its error is unknown, unless the values are exact.
    """
    comes_to = {"fall": _fall, "half_rise": _half_rise}[claim.comes_to]
    values = rows.groupby(["seed", claim.over]).value.mean()
    reduced = values.groupby("seed").agg(comes_to).reset_index()
    interval = "exact" if is_exact(rows) else ""
    return reduced.assign(interval=interval, low=math.nan, high=math.nan, n=math.nan)


def _fall(series: pd.Series) -> float:
    return series.max(skipna=False) - series.iloc[-1]


def _half_rise(series: pd.Series) -> float:
    half = (series.iloc[0] + series.max(skipna=False)) / 2
    if math.isnan(half):
        return math.nan
    return series.index.get_level_values(-1)[series >= half][0]


def _rank_correlation(of: pd.DataFrame, against: pd.DataFrame, claim: Claim) -> Estimate:
    """Mean over seeds of Spearman's correlation over epochs or levels, with its interval."""
    keys = ["seed", claim.over]
    of_values, against_values = (rows.groupby(keys).value.mean() for rows in (of, against))
    pairs = pd.DataFrame({"of": of_values, "against": against_values}).dropna()
    correlations = [
        statistics.spearman(of_seed["of"].to_numpy(), of_seed["against"].to_numpy())
        if len(of_seed) >= MIN_POINTS
        else (math.nan,) * 3
        for _, of_seed in pairs.groupby("seed")
    ]
    values, low, high = np.array(correlations).reshape(-1, 3).T
    if not len(values) or np.isnan(values).any():
        return statistics.unknown(math.nan, len(values))
    if is_exact(of) and is_exact(against) and np.ptp(values) == 0:
        return statistics.exact(values[0], len(values))
    unclipped = statistics.over_seeds([*values], images.from_intervals(values, low, high))
    return unclipped._replace(bounds=lambda tail: tuple(np.clip(unclipped.bounds(tail), -1, 1)))
