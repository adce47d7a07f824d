"""Pixelation: made smaller and as large again, by Pillow's box filter.

A corruption of Hendrycks and Dietterich (2019), arXiv 1903.12261. A pixel of the small image is the
mean of those whose centre it holds. Not rounded to 8 bits in between, as Pillow's is.
"""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from robustinfo.core.settings import Settings
from robustinfo.maths.separable import boxes, filtered


class Config(Settings):
    scale: Annotated[float, Field(gt=0, le=1)]  # of the small image's sides; 1 changes nothing


def distort(x: Tensor, *, config: Config, generator: torch.Generator) -> Tensor:
    """The distorted images, like x; deterministic.  x: (n, c, h, w) in [0, 1]."""
    both = []
    for size in x.shape[2:]:
        small = max(1, int(size * config.scale))
        both.append(boxes(small, size) @ boxes(size, small))
    return filtered(x, *both).clamp(0, 1)
