"""Impulse noise (salt and pepper): a share of all values becomes 0 or 1, each as often.

A corruption of Hendrycks and Dietterich (2019), arXiv 1903.12261; each channel has its own.
"""

import torch
from torch import Tensor

from robustinfo.core.settings import Fraction01, Settings
from robustinfo.distortions import _draws


class Config(Settings):
    amount: Fraction01  # share of the values that are replaced


def distort(x: Tensor, *, config: Config, generator: torch.Generator) -> Tensor:
    """The distorted images, like x, in [0, 1].  x: (n, c, h, w) in [0, 1]."""
    drawn = _draws.uniform(x.shape, generator, x)
    salt = (drawn < config.amount / 2).to(x.dtype)
    return torch.where(drawn < config.amount, salt, x)
