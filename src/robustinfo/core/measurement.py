"""Measurement: one number of a network, from the method that computes it to the report.

Measures, diagnostics, attacks and verdicts exchange nothing else; a row of a result file is one.
The method that computes a number states the kind of its interval:

    fraction   of n images; its interval is Wilson's, over the choice of the images
    exact      a fact about what was run (a count, a toy, a setting): no interval
    own        low and high are its 95 % interval over the images, by its own method
    unknown    its uncertainty over the images is not known
"""

from typing import Literal, NamedTuple

from torch import Tensor

Interval = Literal["fraction", "exact", "own", "unknown"]


class Measurement(NamedTuple):
    """A value, what it is of, and its interval. Empty or None: does not apply."""

    quantity: str
    value: float
    interval: Interval = "unknown"
    n: int | None = None  # images behind the value; None: all images
    low: float | None = None
    high: float | None = None
    entry: str = ""  # of the study or protocol that computed it
    input: str = ""  # clean, or the attack whose images were measured
    layer: str = ""
    level: float | None = None  # of a sweep
    epoch: int | None = None
    ceiling: float | None = None  # the most that n samples allow an estimate
    saturated: bool | None = None  # whether the estimate is at its ceiling, and says nothing


def fraction(quantity: str, mask: Tensor, total: int | None = None) -> Measurement:
    """The fraction of True in a mask (n,) bool, of ``total`` images or of n. NaN of no image."""
    return count_fraction(quantity, int(mask.sum()), len(mask) if total is None else total)


def count_fraction(quantity: str, images: int, total: int) -> Measurement:
    """The fraction ``images`` / ``total``; NaN of no image."""
    return Measurement(quantity, images / total if total else float("nan"), "fraction", total)


def exact(quantity: str, value: float, n: int | None = None) -> Measurement:
    """A fact about what was run, without an interval."""
    return Measurement(quantity, value, "exact", n)


def with_interval(quantity: str, value: float, low: float, high: float) -> Measurement:
    """A value with its own interval; with NaN ends, without one."""
    if low != low or high != high:
        return Measurement(quantity, value)
    return Measurement(quantity, value, "own", low=low, high=high)


def mean(quantity: str, values: Tensor) -> Measurement:
    """The mean of values (n,), one per image, with its interval: 1.96 standard errors.

    One image has no interval.
    """
    values = values.double()
    n, value = len(values), values.mean().item() if len(values) else float("nan")
    if n < 2:
        return Measurement(quantity, value, "unknown", n)
    half_width = 1.96 * values.std().item() / n**0.5
    return Measurement(quantity, value, "own", n, value - half_width, value + half_width)
