"""Intervals of a few values: Student's of a mean, Spearman's rank correlation, the jackknife."""

import math

import numpy as np
from scipy.special import ndtri, stdtrit

from robustinfo.maths.statistics.fractions import LEVEL


def student(values: list[float] | np.ndarray) -> tuple[float, float]:
    """Student's t interval of the mean; (nan, nan) for a single value, which has no spread."""
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return math.nan, math.nan
    half_width = stdtrit(len(values) - 1, (1 + LEVEL) / 2) * values.std(ddof=1) / len(values) ** 0.5
    return values.mean() - half_width, values.mean() + half_width


def spearman(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Spearman's rank correlation of n pairs, and its interval by Fisher's z: (value, low, high).

    The variance of z is that of Bonett and Wright (2000), (1 + rho^2 / 2) / (n - 3). Where all n
    ranks agree, z would be infinite and the interval a point: there it is taken at half a step,
    6 / (n^3 - n), below the greatest value. All nan where x or y is constant; no interval
    of fewer than four pairs.
    """
    from scipy.stats import spearmanr  # slow to import

    n = len(x)
    if n < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return math.nan, math.nan, math.nan
    value = float(spearmanr(x, y).statistic)
    if n < 4:
        return value, math.nan, math.nan
    largest = 1 - 6 / (n**3 - n)
    z = math.atanh(min(max(value, -largest), largest))
    half_width = ndtri((1 + LEVEL) / 2) * ((1 + value**2 / 2) / (n - 3)) ** 0.5
    return value, min(math.tanh(z - half_width), value), max(math.tanh(z + half_width), value)


def jackknife(value: float, without: np.ndarray) -> tuple[float, float]:
    """Student's t interval of a value by Tukey's jackknife (1958) over groups of the data.

    without: (groups,) what the value is where each group, all of about one size, is left out in
    turn. (nan, nan) for a single group. Unlike a bootstrap it never counts anything twice.
    """
    groups = len(without)
    if groups < 2:
        return math.nan, math.nan
    error = ((groups - 1) * np.var(without)) ** 0.5
    half_width = stdtrit(groups - 1, (1 + LEVEL) / 2) * error
    return value - half_width, value + half_width
