"""TEMPLATE: uniform noise on every pixel value.

Write here what yours changes, who published it, where (arXiv id, equation), and what it leaves.
"""

import torch
from torch import Generator, Tensor

from robustinfo.core.settings import Pixels, Settings


class Config(Settings):
    size: Pixels = 8 / 255  # the largest change; 0 changes nothing


def distort(x: Tensor, *, config: Config, generator: Generator) -> Tensor:
    """The distorted images, like x.  x: (n, c, h, w) in [0, 1], not changed."""
    noise = torch.rand(x.shape, generator=generator, device=generator.device).to(x)
    return (x + config.size * (2 * noise - 1)).clamp(0, 1)
