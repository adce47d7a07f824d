"""Contrast: every value comes closer to the mean of its channel, m + factor (x - m).

A corruption of Hendrycks and Dietterich (2019), arXiv 1903.12261. Each image has its own means.
"""

import torch
from torch import Tensor

from robustinfo.core.settings import Fraction01, Settings


class Config(Settings):
    factor: Fraction01  # of the contrast that is left; 1 changes nothing


def distort(x: Tensor, *, config: Config, generator: torch.Generator) -> Tensor:
    """The distorted images, like x; deterministic.  x: (n, c, h, w) in [0, 1]."""
    means = x.mean((2, 3), keepdim=True)  # (n, c, 1, 1)
    return ((x - means) * config.factor + means).clamp(0, 1)
