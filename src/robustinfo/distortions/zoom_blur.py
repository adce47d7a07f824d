"""Zoom blur: the mean of an image and of its middle, magnified by several factors.

A corruption of Hendrycks and Dietterich (2019), arXiv 1903.12261: the factors are 1, 1 + step ...
below ``stop``, and the image itself is counted once more.
"""

from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from robustinfo.core.settings import PositiveNumber, Settings
from robustinfo.maths.separable import filtered, magnified


class Config(Settings):
    stop: Annotated[float, Field(gt=1, le=4)]  # the factors are below
    step: PositiveNumber  # between factors


def distort(x: Tensor, *, config: Config, generator: torch.Generator) -> Tensor:
    """The distorted images, like x; deterministic.  x: (n, c, h, w) in [0, 1]."""
    factors = np.arange(1, config.stop, config.step).tolist()
    total = x.clone()
    for factor in factors:
        total += filtered(x, *(magnified(size, factor) for size in x.shape[2:]))
    return (total / (len(factors) + 1)).clamp(0, 1)
