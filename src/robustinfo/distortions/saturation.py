"""Saturation: every pixel value is pushed towards 0 or 1, which destroys texture and keeps shape.

Zhang and Zhu (2019), arXiv 1905.09797:  v' = sign(2v - 1) |2v - 1|^(2/p) / 2 + 1/2.
p = 2 changes nothing; p to infinity leaves 0 and 1 (and 1/2, where it was exactly that).
"""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from robustinfo.core.settings import Settings


class Config(Settings):
    power: Annotated[float, Field(ge=2)]  # the exponent's p; 2 changes nothing


def distort(x: Tensor, *, config: Config, generator: torch.Generator) -> Tensor:
    """The distorted images, like x; deterministic.  x: (n, c, h, w) in [0, 1]."""
    signed = 2 * x - 1
    return signed.sign() * signed.abs().pow(2 / config.power) / 2 + 0.5
