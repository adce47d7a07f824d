"""Fog: a cloud over the image, whose contrast falls so that its brightest value stays.

A corruption of Hendrycks and Dietterich (2019), arXiv 1903.12261: (x + t cloud) m / (m + t), the
cloud a plasma fractal from 0 to 1, t its thickness, m the image's largest value.
"""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from robustinfo.core.settings import Number, Settings
from robustinfo.maths.plasma import plasma


class Config(Settings):
    thickness: Number  # t
    decay: Annotated[float, Field(ge=1, allow_inf_nan=False)]  # larger: a smoother cloud


def distort(x: Tensor, *, config: Config, generator: torch.Generator) -> Tensor:
    """The distorted images, like x, in [0, 1].  x: (n, c, h, w) in [0, 1]."""
    n, _, h, w = x.shape
    size = max(2, 1 << (max(h, w) - 1).bit_length())  # a power of two
    clouds = plasma(n, size, config.decay, generator)[:, None, :h, :w].to(x)
    brightest = x.amax((1, 2, 3), keepdim=True)
    scale = brightest / (brightest + config.thickness).clamp(min=torch.finfo(x.dtype).tiny)
    return ((x + config.thickness * clouds) * scale).clamp(0, 1)
