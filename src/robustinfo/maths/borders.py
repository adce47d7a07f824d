"""How an image goes on beyond its border: which of its own pixels stands there."""

from typing import Literal

import torch
from torch import Tensor

Border = Literal["edge", "mirror", "symmetric"]


def inside(index: Tensor, size: int, border: Border) -> Tensor:
    """The index within 0 to size - 1 that stands for each index, an integer of any size.

    edge       a a a | a b c | c c c
    mirror     b c b | a b c | b a b    the pixel at the border is not repeated
    symmetric  c b a | a b c | c b a    it is
    """
    if border == "edge":
        return index.clamp(0, size - 1)
    if border == "symmetric":
        folded = index.remainder(2 * size)
        return torch.minimum(folded, 2 * size - 1 - folded)
    period = max(1, 2 * (size - 1))
    folded = index.remainder(period)
    return torch.minimum(folded, period - folded)
