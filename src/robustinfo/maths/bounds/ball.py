"""The least value of a linear function in a ball around an image, within [0, 1]: exactly.

With room r_i from x_i to the edge that a_i points away from, and a perturbation of the sizes d_i,
    least a . (x + d) = a . x - max sum |a_i| d_i,   0 <= d_i <= r_i,   ||d|| <= epsilon.
linf: d_i = min(r_i, epsilon). l1: the largest |a_i| first, each up to r_i, until epsilon is spent,
a fractional knapsack. l2: d_i = min(|a_i| t, r_i), with the t at which ||d|| = epsilon.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


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
        return (a * x).sum(2) - MOST[self.norm](a.abs(), room, self.epsilon)


def _linf(size: Tensor, room: Tensor, epsilon: float) -> Tensor:
    return (size * room.clamp(max=epsilon)).sum(2)


def _l1(size: Tensor, room: Tensor, epsilon: float) -> Tensor:
    size, order = size.sort(2, descending=True)
    room = room.gather(2, order)
    before = room.cumsum(2) - room
    return (size * (epsilon - before).clamp(min=0).minimum(room)).sum(2)


def _l2(size: Tensor, room: Tensor, epsilon: float) -> Tensor:
    """Pixels reach their edge in the order of r_i / |a_i|: those before t are there, others not."""
    edge = torch.where(size > 0, room / size.clamp(min=torch.finfo(size.dtype).tiny), torch.inf)
    edge, order = edge.sort(2)
    size, room = size.gather(2, order), room.gather(2, order)
    there = room.square().cumsum(2)
    slopes = size.square()
    others = slopes.flip(2).cumsum(2).flip(2) - slopes
    length = there + torch.where(others > 0, edge.square() * others, 0)  # squared, at t = edge
    full = length <= epsilon**2
    left = (epsilon**2 - torch.where(full, room.square(), 0).sum(2)).clamp(min=0)
    rest = torch.where(full, 0, slopes).sum(2)
    return torch.where(full, size * room, 0).sum(2) + (left * rest).sqrt()


MOST: dict[str, Callable[[Tensor, Tensor, float], Tensor]] = {"linf": _linf, "l2": _l2, "l1": _l1}
