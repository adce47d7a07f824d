"""The least value of a linear function in a ball around an image, within [0, 1]: exactly.

With room r_i from x_i to the edge that a_i points away from, and a perturbation of the sizes d_i,
    least a . (x + d) = a . x - max sum |a_i| d_i,   0 <= d_i <= r_i,   ||d|| <= epsilon,
where the largest is that of ``balls.largest_change``.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from robustinfo.maths.balls import largest_change


class Ball(NamedTuple):
    """Images (n, ...), and what perturbations may do: norm ``linf``, ``l2`` or ``l1``."""

    x: Tensor
    norm: str
    epsilon: float

    def box(self) -> tuple[Tensor, Tensor]:
        """The least and the largest value of every pixel, like x. It holds every such ball."""
        return (self.x - self.epsilon).clamp(min=0), (self.x + self.epsilon).clamp(max=1)

    def least(self, rows: Tensor) -> Tensor:
        """The least a . (x + d).  rows: a, (n, s, ...) -> (n, s)."""
        a, x = rows.flatten(2), self.x.flatten(1)[:, None]
        room = torch.where(a > 0, x, 1 - x).clamp(min=0)
        size, room = a.abs().flatten(0, 1), room.flatten(0, 1)
        change = largest_change(room, size, self.norm, self.epsilon)
        return (a * x).sum(2) - (size * change).sum(1).view(a.shape[:2])
