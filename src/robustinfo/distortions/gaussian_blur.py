"""Gaussian blur, cut off at four standard deviations; the edge is repeated beyond the border.

A corruption of the additional set of Hendrycks and Dietterich (2019), arXiv 1903.12261, and the
first and last step of ``glass_blur``. It is scipy's and scikit-image's Gaussian filter.
"""

import torch
from torch import Tensor

from robustinfo.core.settings import Number, Settings
from robustinfo.maths.separable import filtered, gaussian

TRUNCATE = 4.0  # standard deviations


class Config(Settings):
    std: Number  # in pixels


def distort(x: Tensor, *, config: Config, generator: torch.Generator) -> Tensor:
    """The distorted images, like x; deterministic.  x: (n, c, h, w) in [0, 1]."""
    return blurred(x, config.std)


def blurred(x: Tensor, std: float) -> Tensor:
    """x (n, c, h, w), blurred; std: in pixels."""
    rows, columns = (gaussian(size, std, truncate=TRUNCATE, border="edge") for size in x.shape[2:])
    return filtered(x, rows, columns).clamp(0, 1)
