"""Estimators of information on a channel whose information is known: how far they are off.

Every estimator, an entry of measures/, gets the same samples of one seed. One that adds noise of
its own (kde_information) or cuts into bins (binned_information) has a channel of its own, and is
held against that one's information: it gets the layer without the channel's noise.
"""

import math
from collections.abc import Callable, Iterator
from statistics import fmean, stdev
from typing import Annotated, Any, NamedTuple

from pydantic import Field, PositiveInt
from torch import Generator, Tensor

from robustinfo.core import registry
from robustinfo.core.errors import UserError
from robustinfo.core.measurement import Measurement, exact, with_interval
from robustinfo.core.settings import Entry, Outline, Settings
from robustinfo.maths.statistics import student

BELIEVABLE = 0.1  # of the truth: the greatest error of an estimate that may be believed
QUANTITIES = (
    "truth_bits", "estimate_bits", "deviation_bits",
    "relative_bias", "relative_error", "believable",
)  # fmt: skip


class Calibration(Settings):
    measure: Entry  # of measures/
    # of a set; an input of the rows each
    points: Annotated[tuple[PositiveInt, ...], Field(strict=False)] = (300, 1000, 3000)
    # of the layer; levels of the rows
    dimensions: Annotated[tuple[PositiveInt, ...], Field(strict=False)] = (1, 2, 5, 10, 30)
    draws: int = Field(5, ge=2)  # random sets, for bias and spread


class Sample(NamedTuple):
    """x: (n, ...) inputs.  t: (n, d) layer, noise included.  clean: without it.  y: (n,) labels."""

    x: Tensor
    t: Tensor
    clean: Tensor
    y: Tensor


class Channel(NamedTuple):
    """A channel of some dimension."""

    sample: Callable[[int, Generator], Sample]
    # the information of what an estimator sees, by the variance of its noise and its bins' width
    bits: Callable[[float, float | None], float]
    spread: float  # the variances of ``clean``, summed over the layer


def outline(side: str, config: Calibration) -> Outline:
    """The rows of ``calibrate``."""
    own = registry.module("measures", config.measure).outline(_measure(config))
    bounds = [_bound(name, side) for group in own for name in group["quantity"]]
    layers = tuple(bound for bound in bounds if bound is not None)
    inputs = tuple(map(_samples, config.points))
    return [{"input": inputs, "layer": layers, "level": config.dimensions, "quantity": QUANTITIES}]


def calibrate(
    side: str, channel: Callable[[int], Channel], config: Calibration, generator: Generator
) -> Iterator[Measurement]:
    """Rows of every number of samples, dimension and value of the estimator.

    side: whether the ``input`` or the ``label`` is what is known about.  channel: by its dimension.
    """
    for n in config.points:
        for dimension in config.dimensions:
            made = channel(dimension)
            samples = [made.sample(n, generator) for _ in range(config.draws)]
            own_noise, width = _own_channel(config, made.spread)
            truth = made.bits(own_noise, width)
            altered = own_noise > 0 or width is not None
            estimates = [_estimates(config.measure, one, altered, side) for one in samples]
            for repeated in zip(*estimates, strict=True):
                layer = _bound(repeated[0].quantity, side) or ""
                for row in _rows(truth, repeated):
                    yield row._replace(input=_samples(n), layer=layer, level=float(dimension), n=n)


def _rows(truth: float, repeated: tuple[Measurement, ...]) -> Iterator[Measurement]:
    values = [one.value for one in repeated]
    relative = [value / truth - 1 for value in values]
    saturated = sum(bool(one.saturated) for one in repeated) * 2 > len(repeated)
    error = math.sqrt(fmean(one**2 for one in relative))
    mean = with_interval("estimate_bits", fmean(values), *student(values))
    bias = with_interval("relative_bias", fmean(relative), *student(relative))
    yield exact("truth_bits", truth)
    yield mean._replace(ceiling=fmean(one.ceiling or 0.0 for one in repeated), saturated=saturated)
    yield exact("deviation_bits", stdev(values))
    yield bias._replace(saturated=saturated)
    yield exact("relative_error", error)._replace(saturated=saturated)
    yield exact("believable", float(error <= BELIEVABLE and not saturated))


def _estimates(entry: Entry, sample: Sample, altered: bool, side: str) -> list[Measurement]:
    sees_inputs = registry.hook("measures", entry, "SEES_INPUTS") and side == "input"
    given = {"x": sample.x} if sees_inputs else {}
    layer = sample.clean if altered else sample.t
    found = registry.get("measures", entry)(layer, sample.y, **given)
    return [one for one in found if _bound(one.quantity, side) is not None]


def _own_channel(config: Calibration, spread: float) -> tuple[float, float | None]:
    """(variance of the estimator's own noise, width of its bins)."""
    method, own = config.measure["method"], _measure(config)
    if method == "binned_information":
        if own.width is None:
            raise UserError("`bins` over a sample's range have no known information: give `width`")
        return 0.0, own.width
    if method == "kde_information":
        relative = own.relative_noise_variance
        return (own.noise_variance if relative is None else relative * spread), None
    return 0.0, None


def _measure(config: Calibration) -> Any:  # noqa: ANN401 - the measure's own Config
    return registry.config("measures", config.measure)


def _bound(quantity: str, side: str) -> str | None:
    """``lower`` of information_SIDE_bits_lower, "" without a bound; None of another quantity."""
    start = f"information_{side}_bits"
    return quantity.removeprefix(start)[1:] if quantity.startswith(start) else None


def _samples(n: int) -> str:
    return f"{n} samples"
