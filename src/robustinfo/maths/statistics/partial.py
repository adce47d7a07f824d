"""Partial correlation: of what is left of two variables once others are regressed out.

Linear (Pearson's of the residuals of least squares, with a constant), or of ranks: all variables
are replaced by their ranks first (Spearman's). The interval is the percentile bootstrap's (Efron
1979) over the cases, the regression within it: it knows nothing of clusters among them, and is too
narrow of fewer than about ten.
"""

import math

import numpy as np

from robustinfo.maths.statistics.fractions import LEVEL

DRAWS, SEED = 2000, 0  # of the bootstrap
NOTHING = 1e-9  # of a variable's spread: less is nothing left of it
DEFINED = 0.9  # of the draws: with fewer, there is no interval


def partial_correlation(
    x: np.ndarray, y: np.ndarray, controls: np.ndarray, *, ranks: bool = False
) -> tuple[float, float, float]:
    """(value, low, high) of x (n,) and y (n,), controls (n, m) taken out of both.

    All nan for fewer than m + 4 cases, or where the controls leave nothing of x or y; no interval
    where that holds in more than a tenth of the draws. ranks: Spearman's, else Pearson's.
    """
    n = len(x)
    together = np.column_stack([x, y, controls]).astype(float)
    if n < together.shape[1] + 2:
        return math.nan, math.nan, math.nan
    value = _correlation(together, ranks)
    rows = np.random.default_rng(SEED).integers(n, size=(DRAWS, n))
    drawn = np.array([_correlation(together[some], ranks) for some in rows])
    known = drawn[~np.isnan(drawn)]
    if math.isnan(value) or len(known) < DEFINED * DRAWS:
        return value, math.nan, math.nan
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return value, min(float(low), value), max(float(high), value)


def _correlation(columns: np.ndarray, ranks: bool) -> float:
    """Of the first two columns (n, 2 + m), nan where nothing is left of one."""
    from scipy.stats import rankdata  # slow to import

    columns = rankdata(columns, axis=0) if ranks else columns
    columns = columns - columns.mean(axis=0)
    pair, controls = columns[:, :2], columns[:, 2:]
    left = pair - controls @ np.linalg.lstsq(controls, pair, rcond=None)[0]
    spread, rest = np.linalg.norm(pair, axis=0), np.linalg.norm(left, axis=0)
    if (rest <= NOTHING * spread).any():
        return math.nan
    return float(left[:, 0] @ left[:, 1] / rest.prod())
