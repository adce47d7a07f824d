"""What a claim's statistic comes to in one setting: an estimate over seeds and images."""

import math

import numpy as np
import pandas as pd

from pipeline.results.statistics import compared, estimate, is_exact
from pipeline.study.claim import Claim
from robustinfo.maths import statistics
from robustinfo.maths.statistics import Estimate, images

FEWEST = 5  # of a correlation: ranks of fewer agree by chance


def claimed(
    of: pd.DataFrame,
    against: pd.DataFrame | None,
    claim: Claim,
    outcomes: pd.DataFrame | None = None,
) -> Estimate:
    """The estimate; with ``worst_over``, of the least favourable group (``statistics.worst``).

    outcomes: per image, of the same setting (``outcomes.outcomes_of``), where known.
    """
    if claim.worst_over is None:
        return _of_one(of, against, claim, outcomes)
    column = claim.worst_over
    groups = of[column].unique()
    alike = against is None or set(groups) == set(against[column])
    if not len(groups) or not alike:  # a group that stands alone is compared with nothing
        return statistics.unknown(math.nan, of.seed.nunique())
    found = []
    for group in groups:
        other = None if against is None else against[against[column] == group]
        found.append(_of_one(of[of[column] == group], other, claim, outcomes))
    return statistics.worst(found, claim.worst)  # type: ignore[arg-type]


def _of_one(
    of: pd.DataFrame,
    against: pd.DataFrame | None,
    claim: Claim,
    outcomes: pd.DataFrame | None,
) -> Estimate:
    if claim.statistic == "correlation":
        return _correlated(of, against, claim)
    if claim.comes_to != "mean":
        of = _series(of, claim)
        against, outcomes = None if against is None else _series(against, claim), None
    if against is None:
        return estimate(of, outcomes)
    return compared(of, against, claim.statistic, outcomes)


def _series(rows: pd.DataFrame, claim: Claim) -> pd.DataFrame:
    """Per seed, what its series over epochs or levels comes to, as a row without known error.

    NaN of a series with a gap: what it starts with, ends with or reaches is not known.
    """
    comes_to = {"fall": _fall, "half_rise": _half_rise}[claim.comes_to]
    values = rows.groupby(["seed", claim.over]).value.mean()
    found = values.groupby("seed").agg(comes_to).reset_index()
    kind = "exact" if is_exact(rows) else ""
    return found.assign(interval=kind, low=math.nan, high=math.nan, n=math.nan)


def _fall(series: pd.Series) -> float:
    return series.max(skipna=False) - series.iloc[-1]


def _half_rise(series: pd.Series) -> float:
    half = (series.iloc[0] + series.max(skipna=False)) / 2
    if math.isnan(half):
        return math.nan
    return series.index.get_level_values(-1)[series >= half][0]


def _correlated(of: pd.DataFrame, against: pd.DataFrame, claim: Claim) -> Estimate:
    """Spearman's correlation of each seed, whose own interval (``ranks.spearman``) stands for n."""
    keys = ["seed", claim.over]
    one, other = (part.groupby(keys).value.mean() for part in (of, against))
    pairs = pd.DataFrame({"one": one, "other": other}).dropna()
    found = [
        statistics.spearman(own.one.to_numpy(), own.other.to_numpy())
        if len(own) >= FEWEST
        else (math.nan,) * 3
        for _, own in pairs.groupby("seed")
    ]
    values, low, high = np.array(found).reshape(-1, 3).T
    if not len(values) or np.isnan(values).any():
        return statistics.unknown(math.nan, len(values))
    if is_exact(of) and is_exact(against) and np.ptp(values) == 0:
        return statistics.exact(values[0], len(values))
    free = statistics.over_seeds([*values], images.from_intervals(values, low, high))
    return free._replace(bounds=lambda tail: tuple(np.clip(free.bounds(tail), -1, 1)))
