"""Estimators of I(X;T) on the Gaussian channel: a layer with noise, as a bottleneck (VIB) has it.

X ~ N(0, I), T = a X + N(0, s^2 I), s^2 = 0.1: I(X;T) = d / 2 log2(1 + a^2 / s^2) (Cover and Thomas
2006, chapter 9). ``bits`` is the whole of it, in whatever dimension: a follows, so that the
dimension alone makes it hard. An estimator that adds noise itself gets a X, which is what its
channel begins with; bins get it too, and hold d H(floor(a X_1 / width)).
"""

import math
from collections.abc import Iterator

import torch
from torch import Generator

from robustinfo.core.measurement import Measurement
from robustinfo.core.settings import Outline, PositiveNumber
from robustinfo.maths.channels import binned_gaussian_bits, gaussian_bits
from robustinfo.toys import _calibration
from robustinfo.toys._calibration import Calibration, Channel, Sample

NOISE = 0.1  # s^2, as measures/kde_information takes it


class Config(Calibration):
    bits: PositiveNumber = 2.0  # I(X;T), in all dimensions together


def outline(config: Config) -> Outline:
    """The names of its rows.

    truth_bits  the information of the channel that the estimator sees
    estimate_bits  the mean estimate over the draws
    deviation_bits  the standard deviation of an estimate over the draws
    relative_bias  estimate_bits / truth_bits - 1
    relative_error  root mean square of an estimate / truth_bits - 1, over the draws
    believable  1 where relative_error is at most 0.1 and few draws are at their ceiling, else 0
    """
    return _calibration.outline("input", config)


def compute(*, config: Config, generator: Generator) -> Iterator[Measurement]:
    """The input says how many samples, the layer which of two bounds, the level the dimension."""
    return _calibration.calibrate(
        "input", lambda dimension: channel(dimension, config.bits), config, generator
    )


def channel(dimension: int, bits: float) -> Channel:
    """The channel of so many dimensions and bits."""
    variance = NOISE * (2 ** (2 * bits / dimension) - 1)  # a^2

    def sample(n: int, generator: Generator) -> Sample:
        x, noise = torch.randn(2, n, dimension, generator=generator, dtype=torch.float64)
        clean = math.sqrt(variance) * x
        return Sample(x, clean + math.sqrt(NOISE) * noise, clean, (x[:, 0] > 0).long())

    def information(own_noise: float, width: float | None) -> float:
        if width is not None:
            return dimension * binned_gaussian_bits(variance, width)
        signal = variance * torch.eye(dimension, dtype=torch.float64)
        return gaussian_bits(signal, own_noise or NOISE)

    return Channel(sample, information, dimension * variance)
