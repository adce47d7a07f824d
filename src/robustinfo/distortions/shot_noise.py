"""Shot noise: every value is a count of photons, drawn from a Poisson distribution.

v' = Poisson(photons v) / photons, a corruption of Hendrycks and Dietterich (2019),
arXiv 1903.12261. Its mean is v and its variance v / photons, before it is clamped to [0, 1].
"""

import torch
from torch import Tensor

from robustinfo.core.settings import PositiveNumber, Settings


class Config(Settings):
    photons: PositiveNumber  # of a value of 1; fewer are noisier


def distort(x: Tensor, *, config: Config, generator: torch.Generator) -> Tensor:
    """The distorted images, like x, in [0, 1].  x: (n, c, h, w) in [0, 1]."""
    counts = torch.poisson(config.photons * x.to(generator.device), generator=generator)
    return (counts.to(x.device) / config.photons).clamp(0, 1)
