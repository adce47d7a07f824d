"""Intervals over n images of a mean over seeds that share them, and of two means combined.

The images' part of an interval, to which ``runs`` adds that of the trainings. Two parts are put
together by the method of variance estimates recovery (MOVER): Newcombe (1998), Statistics in
Medicine 17, 873-890, for a difference; Donner and Zou (2012), Statistical Methods in Medical
Research 21, 347-359, for a ratio. They are taken as independent: of two networks on the same
images that is wide, and where each image's outcome is known, ``runs.over_images`` pairs them.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from robustinfo.maths.statistics.estimates import Bounds
from robustinfo.maths.statistics.fractions import TAIL, fraction_interval


def from_fractions(fractions: Sequence[float], n: float) -> Bounds:
    """Wilson's interval of the mean of fractions of the same n images, one per seed."""
    hits = float(np.mean(fractions)) * n
    return lambda tail: fraction_interval(hits, n, tail)


def from_intervals(values: ArrayLike, low: ArrayLike, high: ArrayLike) -> Bounds | None:
    """The mean of values with 95 % intervals of their own; None where those have no width."""
    mean = float(np.mean(np.asarray(values)))
    down = float(np.mean(np.subtract(values, low)))
    up = float(np.mean(np.subtract(high, values)))
    if not max(down, up) > 1e-12 * max(1.0, abs(mean)):  # nor where they are missing
        return None

    def bounds(tail: float) -> tuple[float, float]:
        share = float(ndtri(tail) / ndtri(TAIL))
        return mean - down * share, mean + up * share

    return bounds


def difference(
    one: float, of: Bounds | None, other: float, against: Bounds | None
) -> Bounds | None:
    """Bounds of one - other, Newcombe's; None where those of either are not known."""
    if of is None or against is None:
        return None

    def bounds(tail: float) -> tuple[float, float]:
        (low, high), (other_low, other_high) = of(tail), against(tail)
        down, up = (
            math.hypot(one - low, other_high - other),
            math.hypot(high - one, other - other_low),
        )
        return one - other - down, one - other + up

    return bounds


def ratio(one: float, of: Bounds | None, other: float, against: Bounds | None) -> Bounds | None:
    """Bounds of one / other, both positive, Donner and Zou's; infinite where other may be 0."""
    if of is None or against is None:
        return None

    def bounds(tail: float) -> tuple[float, float]:
        (low, high), (other_low, other_high) = of(tail), against(tail)
        product = one * other
        down = product**2 - low * other_high * (2 * one - low) * (2 * other - other_high)
        up = product**2 - high * other_low * (2 * one - high) * (2 * other - other_low)
        if other_low <= 0:
            return -math.inf, math.inf
        return (
            (product - math.sqrt(max(down, 0.0))) / (other_high * (2 * other - other_high)),
            (product + math.sqrt(max(up, 0.0))) / (other_low * (2 * other - other_low)),
        )

    return bounds
