"""An estimate with the interval of every level, its p-value, the worst of several, Holm's p."""

import math
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from robustinfo.maths.statistics.fractions import TAIL

# The population of an interval: the ``method``, over trainings and images; its ``training``, over
# trainings on these very images, whose own sampling error is not known; this ``network``, over
# images; none, because the value is ``exact``, or because its error is unknown ("").
Scope = Literal["method", "training", "network", "exact", ""]
WEAKEST_FIRST = ("", "network", "training", "method", "exact")
Bounds = Callable[[float], tuple[float, float]]  # the tail beyond each end -> (low, high)
LEAST_TAIL, MOST_TAIL = 1e-12, 0.499  # of a p-value; at 0.5 every interval is a point


class Estimate(NamedTuple):
    """A value with its interval at every level."""

    value: float
    bounds: Bounds
    scope: Scope
    seeds: int

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval; (nan, nan) where none is known."""
        return self.bounds(TAIL)

    def clipped(self, least: float, most: float) -> "Estimate":
        """The estimate with its interval clipped to [least, most], the value's range."""

        def bounds(tail: float) -> tuple[float, float]:
            low, high = self.bounds(tail)
            # max and min keep a NaN that comes first.
            return min(max(low, least), most), min(max(high, least), most)

        return self._replace(bounds=bounds)


def exact(value: float, seeds: int) -> Estimate:
    """A count, a setting, or a toy's enumeration: it has no sampling error."""
    return Estimate(value, lambda tail: (value, value), "exact", seeds)


def unknown(value: float, seeds: int) -> Estimate:
    """A value of unknown error."""
    return Estimate(value, lambda tail: (math.nan, math.nan), "", seeds)


def p_value(estimate: Estimate, threshold: float) -> float:
    """Two-sided: the level at which the interval would just reach the threshold, from 1 down.

    Below 0.05 just where the 95 % interval excludes the threshold. nan where there is no interval;
    of an exact value 0, or 1 at the threshold.
    """
    from scipy.optimize import brentq  # slow to import

    if any(map(math.isnan, (estimate.value, *estimate.interval))):
        return math.nan
    above = estimate.value > threshold

    def clearance(log_tail: float) -> float:
        """The distance from the interval to the threshold; below 0 if it contains it."""
        low, high = estimate.bounds(math.exp(log_tail))
        return low - threshold if above else threshold - high

    most, least = math.log(MOST_TAIL), math.log(LEAST_TAIL)
    if clearance(most) <= 0:
        return 1.0
    if clearance(least) > 0:
        return 0.0
    return 2 * math.exp(brentq(clearance, least, most, xtol=1e-9))


def worst(estimates: Sequence[Estimate], of: Literal["max", "min"]) -> Estimate:
    """The greatest, or the least, of several true values.

    An intersection-union test (Berger 1982): all of them lie below a threshold where each of their
    intervals does, with no correction, so the greatest lies below the greatest upper end. That one
    of them lies above is a choice among several: the lower end is the greatest of those whose tail
    is divided by their number (Bonferroni). The value is the greatest of the estimates, which is
    biased outwards, as every extreme of noisy values is; its interval is not.
    """
    extreme = max if of == "max" else min

    def bounds(tail: float) -> tuple[float, float]:
        uncorrected = [one.bounds(tail) for one in estimates]
        corrected = [one.bounds(tail / len(estimates)) for one in estimates]
        if np.isnan(uncorrected).any():
            return math.nan, math.nan
        lows, highs = (corrected, uncorrected) if of == "max" else (uncorrected, corrected)
        return extreme(low for low, _ in lows), extreme(high for _, high in highs)

    fewest = min(estimates, key=lambda one: one.seeds)
    scopes = {one.scope for one in estimates}
    weakest = next(scope for scope in WEAKEST_FIRST if scope in scopes)
    return Estimate(extreme(one.value for one in estimates), bounds, weakest, fewest.seeds)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction (1979): below alpha, the chance of any false one is below alpha.

    A nan stays nan and is no member of the family.
    """
    p = np.asarray(p_values, dtype=float)
    adjusted = p.copy()
    order = [place for place in np.argsort(p, kind="stable") if not math.isnan(p[place])]
    largest_so_far = 0.0
    for rank, place in enumerate(order):
        largest_so_far = max(largest_so_far, min(1.0, (len(order) - rank) * p[place]))
        adjusted[place] = largest_so_far
    return adjusted.tolist()
