"""What evaluation.json holds of least distances, and what pages and figures say of them."""

import math
from typing import NamedTuple

import torch

from robustinfo.core.settings import Fraction01, Number, Settings
from robustinfo.diagnostics.minimal_distances import OF_ALL, quantile
from robustinfo.evaluation.display.numbers import percent, pixels


class OfAttack(Settings):
    found_fraction: Fraction01
    attack_distance_median: Number | None  # None: of most images it found nothing
    local_optimality: Fraction01 | None  # None: not defined


class Distances(Settings):
    found: list[Number | None]  # of the images, in their order; None: nothing was found
    attacks: dict[str, OfAttack]


class Row(NamedTuple):
    """A minimum-norm attack in words."""

    attack: str
    found: str
    median: str
    optimality: str


class Shown(NamedTuple):
    """Distances in words."""

    images: str  # how many were asked
    without: str  # of how many nothing was found; empty: of none
    quartiles: str
    attacks: list[Row]  # the one that comes nearest first


def shown(distances: Distances | None) -> Shown | None:
    """What the page says of distances, if there are any."""
    if distances is None:
        return None
    every_size = [math.inf if one is None else one for one in distances.found]
    sizes = torch.tensor(every_size, dtype=torch.double)
    quartiles = [quantile(sizes, share) for share in OF_ALL.values()]
    none, every = int(sizes.isinf().sum()), distances.attacks.items()
    rows = [_row(*one) for one in sorted(every, key=lambda one: -(one[1].local_optimality or 0))]
    return Shown(
        f"{len(sizes):,}", f"{none:,}" if none else "", ", ".join(map(_size, quartiles)), rows
    )


def _row(attack: str, one: OfAttack) -> Row:
    median, optimality = one.attack_distance_median, one.local_optimality
    return Row(
        attack,
        percent(one.found_fraction),
        _size(math.inf if median is None else median),
        "not defined" if optimality is None else f"{optimality:.3f}",
    )


def _size(size: float) -> str:
    return pixels(size) if math.isfinite(size) else "none"


def steps(distances: Distances, end: float) -> tuple[list[float], list[float]]:
    """The curve of accuracy by epsilon: epsilons from 0 to the end, and the accuracy from each."""
    n = len(distances.found)
    ordered = sorted(one for one in distances.found if one is not None and one <= end)
    at = [0.0, *ordered, end]
    left = [(n - sum(one <= epsilon for one in ordered)) / n for epsilon in at]
    return at, left
