"""Patch shuffle: a k x k grid of patches in random order, which destroys shape and keeps texture.

Zhang and Zhu (2019), arXiv 1905.09797. Each image gets an order of its own; k = 1 changes nothing.
"""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from robustinfo.core.errors import UserError
from robustinfo.core.settings import Settings


class Config(Settings):
    patches: Annotated[int, Field(ge=1)]  # k, the patches along each side


def distort(x: Tensor, *, config: Config, generator: torch.Generator) -> Tensor:
    """The distorted images, like x.  x: (n, c, h, w) in [0, 1].

    Raises ValueError if the height or the width is not a multiple of k.
    """
    n, c, h, w = x.shape
    k = config.patches
    if h % k or w % k:
        raise UserError(f"{h} x {w} pixels do not divide into {k} x {k} equal patches")
    order = torch.rand(n, k * k, generator=generator, device=generator.device).argsort(dim=1)
    grid = x.reshape(n, c, k, h // k, k, w // k).permute(0, 2, 4, 1, 3, 5)  # (n, k, k, c, ., .)
    pieces = grid.reshape(n, k * k, c, h // k, w // k)
    rows = torch.arange(n, device=x.device)[:, None]
    shuffled = pieces[rows, order.to(x.device)].reshape(grid.shape)
    return shuffled.permute(0, 3, 1, 4, 2, 5).reshape(n, c, h, w)
