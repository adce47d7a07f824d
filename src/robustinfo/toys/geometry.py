"""Point sets in the plane, and both information estimates as their geometry changes.

arXiv 2207.05756, section V and figure 6, whose sets are pictures: I(T;X) falls as points draw
together; I(T;Y) rises as the points of each class do while the whole stays as it is. Three sets of
points, at a random place, so that it is chance how they lie in the bins; each has a level:
spread         one Gaussian cluster of this standard deviation, its labels by chance,
within_spread  a cluster per class, their centres on a circle; the level is the standard deviation
               within classes as a share of ``overall``. The circle makes up for it: the covariance
               of all points is overall^2 times the identity at every level,
mixed_labels   one cluster of ``overall``, cut into one sector per class; the level is the share of
               points that swap their labels. Here T itself, and with it I(T;X), stays the same.

Both estimates of I(T;Y) are biased upwards as soon as a class has few points per bin or kernel:
where labels are chance, it is not 0. The levels of a draw share their random numbers, so that only
the level differs; means and Student's intervals are over the ``draws``.
"""

import math
from collections.abc import Iterator
from statistics import fmean
from typing import Annotated, Any

import torch
from pydantic import Field, NonNegativeInt, PositiveInt
from torch import Generator, Tensor

from robustinfo.core.measurement import Measurement, exact, with_interval
from robustinfo.core.settings import Fraction01, Number, Outline, PositiveNumber, Settings
from robustinfo.maths.statistics import student
from robustinfo.measures import binned_information, kde_information

WIDTH = 0.5  # of the bins
KERNELS, BINS = kde_information.Config(), binned_information.Config(width=WIDTH)


class Config(Settings):
    points: Annotated[int, Field(ge=2)] = 1000  # of a set
    classes: Annotated[int, Field(ge=3)] = 4  # two centres would make no circle
    draws: PositiveInt = 5  # random sets, averaged
    overall: PositiveNumber = 1.5  # standard deviation of the sets with classes
    # levels of spread
    spreads: Annotated[tuple[Number, ...], Field(strict=False)] = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0)
    # levels of within_spread
    within: Annotated[tuple[Fraction01, ...], Field(strict=False)] = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    # levels of mixed_labels
    mixed: Annotated[tuple[Fraction01, ...], Field(strict=False)] = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    shown: NonNegativeInt = 0  # points per set whose coordinates are given, of the first draw


def outline(config: Config) -> Outline:
    """The names of its rows.

    information_*, redundancy_*  of measures/kde_information and measures/binned_information
    mean_distance  of two points of a set
    mean_distance_within  of two points of one class
    x, y  the coordinates of a point
    """
    levels = {
        "spread": config.spreads,
        "within_spread": config.within,
        "mixed_labels": config.mixed,
    }
    parts = (kde_information.outline(KERNELS), binned_information.outline(BINS))
    estimates = tuple(name for part in parts for one in part for name in one["quantity"])
    quantities = (*estimates, "mean_distance", "mean_distance_within")
    of_sets = [{"input": (name,), "level": level} for name, level in levels.items()]
    points = {"quantity": ("x", "y"), "layer": ("class *, point *",)} if config.shown else None
    return [
        one | own
        for own in of_sets
        for one in ({"quantity": quantities}, points)
        if one is not None
    ]


def compute(*, config: Config, generator: Generator) -> Iterator[Measurement]:
    """Per set (the input) and level: what both measures estimate, and the mean distances in T.

    ``mean_distance`` is that of two points, ``mean_distance_within`` that of two of one class.
    The first ``shown`` points of each set give ``x`` and ``y``; their layer is class and number.
    """
    estimates: dict[tuple[str, float], list[list[Measurement]]] = {}
    for draw in range(config.draws):
        for name, level, t, y in point_sets(config=config, generator=generator):
            estimates.setdefault((name, level), []).append(_measured(t, y))
            if draw == 0:
                yield from _coordinates(name, level, t[: config.shown], y)
    for (name, level), draws in estimates.items():
        for repeated in zip(*draws, strict=True):
            values = [each.value for each in repeated]
            one = with_interval(repeated[0].quantity, fmean(values), *student(values))
            yield one._replace(
                n=config.points,
                input=name,
                level=level,
                ceiling=repeated[0].ceiling,
                saturated=any(each.saturated for each in repeated),
            )


def point_sets(
    *, config: Config, generator: Generator
) -> Iterator[tuple[str, float, Tensor, Tensor]]:
    """One draw of every set at every level: name, level, points (n, 2) in float64, labels (n,)."""
    n, classes = config.points, config.classes
    noise = torch.randn(n, 2, generator=generator, dtype=torch.float64)
    place = torch.rand(2, generator=generator, dtype=torch.float64) * WIDTH
    order = torch.randperm(n, generator=generator)
    y = torch.arange(n) % classes
    for spread in config.spreads:
        yield "spread", spread, place + spread * noise, y
    angles = 2 * math.pi * y.double() / classes
    circle = torch.stack([angles.cos(), angles.sin()], 1)  # (n, 2)
    for share in config.within:
        # On a circle of radius r each coordinate has the variance r^2 / 2.
        radius = config.overall * math.sqrt(2 * (1 - share**2))
        t = place + radius * circle + config.overall * share * noise
        yield "within_spread", share, t, y
    sectors = torch.empty_like(y)
    sectors[noise[:, 1].atan2(noise[:, 0]).argsort()] = torch.arange(n) * classes // n
    for share in config.mixed:
        swapped = order[: round(share * n)]
        labels = sectors.clone()
        labels[swapped] = sectors[swapped.roll(1)]  # their order is chance already
        yield "mixed_labels", share, place + config.overall * noise, labels


def _measured(t: Tensor, y: Tensor) -> list[Measurement]:
    distances = torch.cdist(t, t, compute_mode="donot_use_mm_for_euclid_dist")
    alike = y[:, None] == y
    within = distances[alike].sum() / (alike.sum() - len(y))  # a point is no pair with itself
    mean = distances.sum() / (len(y) * (len(y) - 1))
    return [
        *kde_information.estimate(t, y, config=KERNELS),
        *binned_information.estimate(t, y, config=BINS),
        Measurement("mean_distance", mean.item()),
        Measurement("mean_distance_within", within.item()),
    ]


def _coordinates(name: str, level: float, t: Tensor, y: Tensor) -> Iterator[Measurement]:
    for number, (point, label) in enumerate(zip(t.tolist(), y.tolist(), strict=False), 1):
        about: dict[str, Any] = {
            "input": name,
            "level": level,
            "layer": f"class {label}, point {number}",
        }
        for quantity, value in zip("xy", point, strict=True):
            yield exact(quantity, value)._replace(**about)
