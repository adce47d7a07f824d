"""Noise in a random direction with l2 norm epsilon: x + epsilon g / ||g||_2, g Gaussian.

The direction is uniform on the sphere. Clamping to [0, 1] follows, so the distance from x is at
most epsilon. The baseline that an attack of the same norm and epsilon has to beat.
"""

from typing import ClassVar

import torch
from torch import Tensor

from robustinfo.core.settings import Norm, Pixels, Settings
from robustinfo.distortions import _draws


class Config(Settings):
    norm: ClassVar[Norm] = "l2"
    epsilon: Pixels


def distort(x: Tensor, *, config: Config, generator: torch.Generator) -> Tensor:
    """The distorted images, like x, in [0, 1].  x: (n, c, h, w) in [0, 1]."""
    gaussian = _draws.normal(x.shape, generator, x)
    length = torch.linalg.vector_norm(gaussian, dim=(1, 2, 3), keepdim=True)  # (n, 1, 1, 1)
    return (x + config.epsilon * (gaussian / length)).clamp(0, 1)
