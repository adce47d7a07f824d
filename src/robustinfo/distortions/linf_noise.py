"""Uniform noise in the linf ball: x + epsilon * U(-1, 1) for every pixel, clamped to [0, 1].

The baseline that an attack of the same norm and epsilon has to beat.
"""

from typing import ClassVar

import torch
from torch import Tensor

from robustinfo.core.settings import Norm, Pixels, Settings
from robustinfo.distortions import _draws


class Config(Settings):
    norm: ClassVar[Norm] = "linf"
    epsilon: Pixels


def distort(x: Tensor, *, config: Config, generator: torch.Generator) -> Tensor:
    """The distorted images, like x, in [0, 1].  x: (n, c, h, w) in [0, 1]."""
    uniform = _draws.uniform(x.shape, generator, x)
    noise = config.epsilon * (2 * uniform - 1)
    return (x + noise).clamp(0, 1)
