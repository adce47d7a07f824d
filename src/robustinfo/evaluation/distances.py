"""How far each image is from being misclassified, as the diagnostic ``minimal_distances`` found it.

What the evaluation's own attacks broke is within their epsilon, too, so that accuracy read off the
distances is never above the robust accuracy.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from robustinfo.core.measurement import Measurement
from robustinfo.diagnostics.minimal_distances import OF_ALL, OF_ATTACK, OF_IMAGE, quantile


class OfAttack(NamedTuple):
    """What one attack found by itself."""

    found_fraction: float  # of the images, those that are misclassified when clean included
    attack_distance_median: float  # infinite: of most images it found nothing
    local_optimality: float  # from 0 to 1; NaN: not defined


def per_image(
    measurements: Sequence[Measurement], asked: int, right: Tensor, robust: Tensor, epsilon: float
) -> Tensor | None:
    """The distances, (n,) float64, or None where none were looked for.

    asked: of the first so many images. right, robust: (n,) bool. epsilon: of the attacks that
    ``robust`` withstands. 0: misclassified when clean; infinite: nothing found; NaN: not asked.
    """
    rows = [one for one in measurements if one.quantity == OF_IMAGE]
    if not rows:
        return None
    found = torch.full(right.shape, torch.nan, dtype=torch.double)
    found[:asked] = 0.0  # where a network abstains, it is not attacked, and counts as wrong
    for one in rows:
        found[int(one.level or 0)] = one.value
    found = torch.where(robust, found, found.clamp(max=epsilon))
    return torch.where(right | found.isnan(), found, 0.0)


def by_attack(measurements: Sequence[Measurement]) -> dict[str, OfAttack]:
    """By minimum-norm attack, what it found."""
    values: dict[str, dict[str, float]] = {}
    for one in measurements:
        if one.quantity in OF_ATTACK:
            values.setdefault(one.input, {})[one.quantity] = one.value
    return {name: OfAttack(**of_attack) for name, of_attack in values.items()}


def as_data(distances: Tensor | None, measurements: Sequence[Measurement]) -> dict | None:
    """Of the images that were asked, as JSON has it; infinite numbers and NaN are null."""
    if distances is None:
        return None
    return {
        "found": [_finite(size) for size in distances[~distances.isnan()].tolist()],
        "attacks": {
            name: {key: _finite(value) for key, value in one._asdict().items()}
            for name, one in by_attack(measurements).items()
        },
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def in_words(distances: Tensor | None) -> list[str]:
    """``least distance of a misclassified image: median 0.085 (...)``, or no line."""
    if distances is None:
        return []
    known = distances[~distances.isnan()]
    low, median, high = (quantile(known, share) for share in OF_ALL.values())
    none = int(known.isinf().sum())
    return [
        f"least distance found of a misclassified image: median {median:.3g}, quartiles {low:.3g} "
        f"and {high:.3g}; for {none} of {len(known)} images none was found"
    ]
