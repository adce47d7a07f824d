"""One number of a network, from whoever computes it to the report.

Measures, diagnostics, attacks and verdicts hand on nothing else; a row of a result file is one. Who
computes a number says what it rests on, as nobody can tell from its name:

    fraction   of n images; its interval is Wilson's, over the choice of the images
    exact      a fact about what was run (a count, a toy, a setting): no interval
    own        low and high are its 95 % interval over the images, by its own method
    unknown    the images' share of its uncertainty is not known
"""

from typing import Literal, NamedTuple

from torch import Tensor

Interval = Literal["fraction", "exact", "own", "unknown"]


class Measurement(NamedTuple):
    """A value, what it is of, and how far it can be trusted. Empty or None: does not apply."""

    quantity: str
    value: float
    interval: Interval = "unknown"
    n: int | None = None  # images behind the value; None: all that were looked at
    low: float | None = None
    high: float | None = None
    entry: str = ""  # of the study or protocol: who says it
    input: str = ""  # clean, or the attack whose images were looked at
    layer: str = ""
    level: float | None = None  # of a sweep
    epoch: int | None = None
    ceiling: float | None = None  # the most that n samples allow an estimate
    saturated: bool | None = None  # whether the estimate sits there, and says nothing


def fraction(quantity: str, mask: Tensor, total: int | None = None) -> Measurement:
    """How many of ``of`` images, by default of all in the mask (n,) bool. NaN of no image."""
    return count_fraction(quantity, int(mask.sum()), len(mask) if total is None else total)


def count_fraction(quantity: str, images: int, total: int) -> Measurement:
    """So many images of ``of``; NaN of none."""
    return Measurement(quantity, images / total if total else float("nan"), "fraction", total)


def exact(quantity: str, value: float, n: int | None = None) -> Measurement:
    """A fact about what was run: it has no interval."""
    return Measurement(quantity, value, "exact", n)


def bounded(quantity: str, value: float, low: float, high: float) -> Measurement:
    """With an interval by whoever computed it; NaN ends are none."""
    if low != low or high != high:
        return Measurement(quantity, value)
    return Measurement(quantity, value, "own", low=low, high=high)


def mean(quantity: str, values: Tensor) -> Measurement:
    """The mean over n images, values (n,), with its interval over the images: 1.96 standard errors.

    One image has no interval.
    """
    values = values.double()
    n, value = len(values), values.mean().item() if len(values) else float("nan")
    if n < 2:
        return Measurement(quantity, value, "unknown", n)
    half_width = 1.96 * values.std().item() / n**0.5
    return Measurement(quantity, value, "own", n, value - half_width, value + half_width)
