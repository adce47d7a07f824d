"""Accuracy under common corruptions: noise, blur, weather and compression, at five severities.

Hendrycks and Dietterich (2019), arXiv 1903.12261. No attack and no worst case: it says how a
network does on images that are worse than those it was tested on. The mean over corruptions and
severities is the mean corruption accuracy. The paper's mean corruption error (mCE) is the mean over
corruptions of the errors, summed over severities, divided by those of another network, AlexNet
there; here of the undefended twin (``relative_error``). Frost is left out (distortions/).
"""

from collections.abc import Iterable
from typing import Annotated

import torch
from pydantic import Field
from torch import Generator, Tensor, nn

from robustinfo.core import registry
from robustinfo.core.batches import correct, memory_batches
from robustinfo.core.measurement import Measurement, fraction
from robustinfo.core.settings import Outline, Settings
from robustinfo.distortions._severities import COMMON, SEVERITIES
from robustinfo.distortions.corruption import Corruption, Severity
from robustinfo.maths.statistics import fraction_interval

ACCURACY, OF_ONE, OF_ALL = (
    "corruption_accuracy", "accuracy_over_severities", "mean_corruption_accuracy"
)  # fmt: skip
RELATIVE = "mean_corruption_error"
OF_TWIN = True


class Config(Settings):
    # which ones; by default the fourteen common ones
    corruptions: Annotated[tuple[Corruption, ...], Field(strict=False, min_length=1)] = (*COMMON,)
    # which severities, 1 to 5
    severities: Annotated[tuple[Severity, ...], Field(strict=False, min_length=1)] = SEVERITIES


def outline(config: Config) -> Outline:
    """The names of its rows; ``input`` is the corruption, ``level`` the severity.

    corruption_accuracy  fraction of the images that are classified correctly when corrupted
    accuracy_over_severities  its mean over the severities of one corruption
    mean_corruption_accuracy  its mean over all severities and corruptions
    """
    names = {"input": config.corruptions}
    return [
        {"quantity": (ACCURACY,), "level": config.severities} | names,
        {"quantity": (OF_ONE,)} | names,
        {"quantity": (OF_ALL,)},
    ]


def diagnose(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> list[Measurement]:
    """Accuracies on the n images, corrupted.  x: (n, c, h, w) in [0, 1].  y: (n,) labels."""
    found, shares = list[Measurement](), list[Tensor]()
    for name in config.corruptions:
        right = torch.stack(
            [_right(model, x, y, name, severity, generator) for severity in config.severities]
        )  # (severities, n)
        found += [
            fraction(ACCURACY, mask)._replace(input=name, level=severity)
            for severity, mask in zip(config.severities, right, strict=True)
        ]
        shares.append(right.double().mean(0))
        found.append(_mean(OF_ONE, shares[-1])._replace(input=name))
    return [*found, _mean(OF_ALL, torch.stack(shares).mean(0))]


def relative_error(ours: Iterable[Measurement], twins: Iterable[Measurement]) -> list[Measurement]:
    """The mean corruption error of a network relative to another, from what both measured.

    Nothing where the other makes no error at all under one of the corruptions.
    """
    error = {one.input: 1 - one.value for one in ours if one.quantity == OF_ONE}
    theirs = {one.input: 1 - one.value for one in twins if one.quantity == OF_ONE}
    if not theirs or not all(theirs.values()):
        return []
    ratios = [error[name] / theirs[name] for name in error]
    return [Measurement(RELATIVE, sum(ratios) / len(ratios))]


def _mean(quantity: str, shares: Tensor) -> Measurement:
    """The mean of each image's share of right answers (n,), with Wilson's interval.

    It is as wide as if every image were right always or never, and no mean has a wider one.
    """
    n, value = len(shares), shares.mean().item()
    low, high = fraction_interval(value * n, n)
    return Measurement(quantity, value, "own", n, low, high)


def _right(
    model: nn.Module, x: Tensor, y: Tensor, name: str, severity: int, generator: Generator
) -> Tensor:
    """Whether each image is classified correctly when it is corrupted, (n,) bool."""
    params = {"method": "corruption", "name": name, "severity": severity}
    distort = registry.get("distortions", params)
    return torch.cat(
        [correct(model, distort(a, generator=generator), b) for a, b in memory_batches(x, y)]
    )
