"""Brightness: the value V of the HSV colour rises by an amount, hue and saturation stay.

A corruption of Hendrycks and Dietterich (2019), arXiv 1903.12261. V is the largest channel, so
x' = x min(V + amount, 1) / V; where that is 0, black, x' = amount. A grey image just becomes
lighter.
"""

import torch
from torch import Tensor

from robustinfo.core.settings import Fraction01, Settings


class Config(Settings):
    amount: Fraction01  # in pixel values


def distort(x: Tensor, *, config: Config, generator: torch.Generator) -> Tensor:
    """The distorted images, like x; deterministic.  x: (n, c, h, w) in [0, 1]."""
    value = x.amax(1, keepdim=True)
    lighter = (value + config.amount).clamp(max=1)
    scaled = x * lighter / torch.where(value > 0, value, 1)
    return torch.where(value > 0, scaled, lighter).clamp(0, 1)
