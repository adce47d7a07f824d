"""Estimators of I(T;Y) on a label that is planted in a layer.

Y is one of equal ``classes``, taken for another one with probability ``error`` (the symmetric
channel, Cover and Thomas 2006, chapter 7). T is normal, of variance 1 in every dimension; its first
coordinate is centred on the class that it was taken for, centres being ``separation`` apart. The
others are noise, so that the dimension alone makes it hard: I(T;Y) stays as it is. With no error
and centres far apart T is a copy of the label, I(T;Y) = H(Y). The truth is a sum over the first
coordinate (``maths/channels.py``); noise that an estimator adds, or its bins, are counted in.
"""

from collections.abc import Iterator
from typing import Annotated

import torch
from pydantic import Field
from torch import Generator

from robustinfo.core.measurement import Measurement
from robustinfo.core.settings import Fraction01, Outline, PositiveNumber
from robustinfo.maths.channels import binned_clusters_bits, clusters_bits, symmetric_joint
from robustinfo.toys import _calibration
from robustinfo.toys._calibration import Calibration, Channel, Sample


class Config(Calibration):
    classes: Annotated[int, Field(ge=2)] = 4  # of equal probability
    error: Fraction01 = 0.0  # probability that the layer has another class than the label
    separation: PositiveNumber = 8.0  # of neighbouring centres, in standard deviations


def outline(config: Config) -> Outline:
    """The names of its rows.

    truth_bits  the information of the channel that the estimator sees
    estimate_bits  the mean estimate over the draws
    deviation_bits  the standard deviation of an estimate over the draws
    relative_bias  estimate_bits / truth_bits - 1
    relative_error  root mean square of an estimate / truth_bits - 1, over the draws
    believable  1 where relative_error is at most 0.1 and few draws are at their ceiling, else 0
    """
    return _calibration.outline("label", config)


def compute(*, config: Config, generator: Generator) -> Iterator[Measurement]:
    """The input says how many samples, the layer which of two bounds, the level the dimension."""
    return _calibration.calibrate(
        "label", lambda dimension: channel(dimension, config), config, generator
    )


def channel(dimension: int, config: Config) -> Channel:
    """The channel in so many dimensions."""
    centres = config.separation * torch.arange(config.classes, dtype=torch.float64)
    joint = symmetric_joint(config.classes, config.error)

    def sample(n: int, generator: Generator) -> Sample:
        y = torch.randperm(n, generator=generator) % config.classes
        wrong = torch.rand(n, generator=generator) < config.error
        by = torch.randint(1, config.classes, (n,), generator=generator)
        taken_for = torch.where(wrong, (y + by) % config.classes, y)
        t = torch.randn(n, dimension, generator=generator, dtype=torch.float64)
        t[:, 0] += centres[taken_for]
        return Sample(t, t, t, y)

    def information(own_noise: float, width: float | None) -> float:
        if width is not None:
            return binned_clusters_bits(centres, joint, 1.0, width)
        return clusters_bits(centres, joint, 1.0 + own_noise)

    return Channel(sample, information, dimension + centres.var(correction=0).item())
