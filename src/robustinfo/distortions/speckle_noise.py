"""Speckle noise, which is stronger where an image is brighter: v' = v + v std g, g Gaussian.

A corruption of the additional set of Hendrycks and Dietterich (2019), arXiv 1903.12261; clamped
to [0, 1].
"""

import torch
from torch import Tensor

from robustinfo.core.settings import Number, Settings
from robustinfo.distortions import _draws


class Config(Settings):
    std: Number  # standard deviation of the noise on a value of 1


def distort(x: Tensor, *, config: Config, generator: torch.Generator) -> Tensor:
    """The distorted images, like x, in [0, 1].  x: (n, c, h, w) in [0, 1]."""
    return (x + x * config.std * _draws.normal(x.shape, generator, x)).clamp(0, 1)
