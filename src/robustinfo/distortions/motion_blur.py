"""Motion blur: every image is smeared along a line at an angle of its own, -45 to 45 degrees.

A corruption of Hendrycks and Dietterich (2019), arXiv 1903.12261, by ImageMagick's filter: towards
one side, with weights of half a Gaussian, at whole pixels.
"""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from robustinfo.core.settings import PositiveNumber, Settings
from robustinfo.distortions import _draws
from robustinfo.maths.sampling import smeared

LOWEST, SPAN = -45, 90  # degrees


class Config(Settings):
    radius: Annotated[int, Field(ge=1)]  # 2 radius + 1 pixels are averaged
    std: PositiveNumber  # of the Gaussian, in pixels


def distort(x: Tensor, *, config: Config, generator: torch.Generator) -> Tensor:
    """The distorted images, like x, in [0, 1].  x: (n, c, h, w) in [0, 1]."""
    angles = LOWEST + SPAN * _draws.uniform((len(x),), generator, x)
    return smeared(x, angles, radius=config.radius, std=config.std).clamp(0, 1)
