"""Whether one attack that looks for the least distance has converged: none should come closer.

Of the images that two attacks both turn, how far each goes. Carlini and Wagner's attack (2017,
arXiv 1608.04644) minimises the l2 distance that DeepFool (2016, arXiv 1511.04599) only estimates:
where it goes farther on more than half of the images, its search has ended too early, and nothing
that is measured on its images speaks of it.
"""

from torch import Generator, Tensor, nn

from robustinfo.measurement import Measurement, fraction
from robustinfo.settings import Norm, Outline, Settings

MEDIANS = ("median_distance", "median_distance_of_other")


class Config(Settings):
    examples: str  # an attack of the study
    other: str  # another
    norm: Norm = "l2"


def outline(config: Config) -> Outline:
    """What its rows are called."""
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
    """``no_farther_share``: of the images that both turn, those on which the first goes no farther.

    The share is above a half exactly if the median of the differences is not above 0. Then both
    median distances over the same images. NaN, and no medians, where both turn none.
    """
    both = examples["success"] & other["success"]
    own, others = (one[f"distance_{config.norm}"][both] for one in (examples, other))
    found = [fraction("no_farther_share", own <= others)]
    if len(own):
        for name, distances in zip(MEDIANS, (own, others), strict=True):
            found.append(Measurement(name, distances.median().item(), n=len(own)))
    return found
