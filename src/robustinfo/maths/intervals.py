"""95 % intervals: Wilson's for a fraction of images, Student's for a mean over seeds."""

import math

import numpy as np
from scipy import stats

LEVEL = 0.95


def wilson(fraction: float, n: int) -> tuple[float, float]:
    """Wilson's score interval (1927) of a fraction seen on n images; inside [0, 1]."""
    interval = stats.binomtest(round(fraction * n), n).proportion_ci(LEVEL, method="wilson")
    return interval.low, interval.high


def student(values: list[float] | np.ndarray) -> tuple[float, float]:
    """Student's t interval of the mean; (nan, nan) for a single value, which has no spread."""
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return math.nan, math.nan
    reach = stats.t.ppf((1 + LEVEL) / 2, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5
    return values.mean() - reach, values.mean() + reach
