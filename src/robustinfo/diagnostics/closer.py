"""Whether one attack that looks for the least distance has converged: none should come closer.

Of the images that the other attack turns, how far each goes; one that is not turned at all is
infinitely far. Carlini and Wagner's attack (2017, arXiv 1608.04644) minimises the l2 distance that
DeepFool (2016, arXiv 1511.04599) only estimates: where it goes farther on half of those images or
more, its search has ended too early, and nothing that is measured on its images speaks of it.
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
    """What its rows are called.

    no_farther_share  of the images that ``other`` turns, the share where ``examples`` goes no
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
    """``no_farther_share``: of the images that the other turns, where the first is no farther.

    Then both median distances over the same images, infinite where half are not turned. NaN, and no
    medians, where the other turns none.
    """
    of = other["success"]
    own = examples["distance_l2"].where(examples["success"], math.inf)[of]
    others = other["distance_l2"][of]
    found = [fraction("no_farther_share", own <= others)]
    if len(own):
        for name, distances in zip(MEDIANS, (own, others), strict=True):
            found.append(Measurement(name, distances.median().item(), n=len(own)))
    return found
