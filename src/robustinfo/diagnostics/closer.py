"""Whether a minimal-distance attack has converged: no other attack should come closer.

On the images that the other attack breaks, both distances are compared; an image that an attack
does not break is infinitely far. Carlini and Wagner's attack (2017, arXiv 1608.04644) minimises the
l2 distance that DeepFool (2016, arXiv 1511.04599) only estimates: where it goes farther on half of
those images or more, its search has ended too early, and measures on its images are void.
"""

import math

from torch import Generator, Tensor, nn

from robustinfo.core.measurement import Measurement, fraction
from robustinfo.core.settings import Outline, Settings

MEDIANS = ("median_distance", "median_distance_of_other")


class Config(Settings):
    examples: str  # an attack of the study
    other: str  # another


def outline(config: Config) -> Outline:
    """The names of its rows.

    no_farther_share  of the images that ``other`` breaks, the share where ``examples`` goes no
        farther
    median_distance  of ``examples`` from the clean image, in l2
    median_distance_of_other  of ``other`` from the clean image, in l2
    """
    return [{"quantity": ("no_farther_share", *MEDIANS)}]


def diagnose(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    config: Config,
    generator: Generator,
    examples: dict[str, Tensor],
    other: dict[str, Tensor],
) -> list[Measurement]:
    """``no_farther_share``: the fraction of the other's broken images where the first is as close.

    Then both median distances over the same images, infinite where half are not broken. NaN, and no
    medians, where the other breaks none.
    """
    turned = other["success"]
    distances_of_one = examples["distance_l2"].where(examples["success"], math.inf)[turned]
    distances_of_other = other["distance_l2"][turned]
    measurements = [fraction("no_farther_share", distances_of_one <= distances_of_other)]
    if len(distances_of_one):
        for name, distances in zip(MEDIANS, (distances_of_one, distances_of_other), strict=True):
            measurements.append(
                Measurement(name, distances.median().item(), n=len(distances_of_one))
            )
    return measurements
