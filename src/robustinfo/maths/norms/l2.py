"""The l2 norm: the Euclidean length of all changes of an image together."""

from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

DUAL = 2.0
# Attacks project in float32, whose rounding grows with the norm: 1e-6 is too little at 10.
ROUNDING = 1e-6  # relative above 1


def length(delta: Tensor) -> Tensor:
    """(n, ...) -> (n,)."""
    return delta.flatten(1).norm(dim=1)


def tolerance(epsilon: float, values: int) -> float:
    """More makes a perturbation invalid."""
    return ROUNDING * max(1.0, epsilon)


def projected(x: Tensor, x_adv: Tensor, epsilon: float | Tensor) -> Tensor:
    """The perturbation is scaled, then clipped to [0, 1]."""
    delta = x_adv - x
    return (x + delta * (epsilon / _divisor(delta)).clamp(max=1)).clamp(0, 1)


def ascended(x: Tensor, at: Tensor, gradient: Tensor, size: float, epsilon: float) -> Tensor:
    """Along the gradient over its length, the steepest direction; shorter below 1e-12."""
    return projected(x, at + size * (gradient * (1 / _divisor(gradient))), epsilon)


def uniform(x: Tensor, radius: float) -> Tensor:
    """d of d + 2 normal numbers, over the length of all: Voelker et al. (2017)."""
    d = x.flatten(1).shape[1]
    drawn = torch.randn(len(x), d + 2, dtype=x.dtype, device=x.device)
    return x + radius * (drawn / _divisor(drawn))[:, :d].reshape(x.shape)


def spread(x: Tensor, radius: float, *, edge: bool, generator: Generator) -> Tensor:
    """On the sphere, or uniform in their distance from x."""
    like: dict[str, Any] = {"generator": generator, "device": x.device, "dtype": x.dtype}
    noise = torch.randn(x.shape, **like)
    noise /= noise.flatten(1).norm(dim=1).view(len(x), *[1] * (x.ndim - 1))
    noise *= 1 if edge else torch.rand((len(x), *[1] * (x.ndim - 1)), **like)
    return x + radius * noise


def largest_change(room: Tensor, slope: Tensor, epsilon: float) -> Tensor:
    """min(room, t slope), t such that its length is epsilon; or the room, where that is shorter.

    The length grows with t, and between two of the t at which another value meets its room it is
    the root of a quadratic: hence sorting finds t exactly.
    """
    slope = slope / slope.amax(1, keepdim=True).clamp(min=torch.finfo(slope.dtype).tiny)
    meets, order = (room / slope).nan_to_num(nan=0.0, posinf=torch.inf).sort(1)
    room2, slope2 = (one.gather(1, order).square() for one in (room, slope))
    met = F.pad(room2.cumsum(1), (1, 0))  # (n, d + 1), of the first k
    free = F.pad(slope2.flip(1).cumsum(1).flip(1), (0, 1))  # of all but the first k
    lengths = met[:, 1:] + torch.where(free[:, 1:] > 0, meets.square() * free[:, 1:], 0.0)
    k = (lengths <= epsilon**2).sum(1, keepdim=True)
    rest = (epsilon**2 - met.gather(1, k)).clamp(min=0)
    t = (rest / free.gather(1, k)).sqrt().nan_to_num(nan=torch.inf, posinf=torch.inf)
    return torch.where(slope > 0, torch.minimum(room, t * slope), 0.0)


def _divisor(t: Tensor) -> Tensor:
    """The length of each image, at least 1e-12, to divide by: (n, ...) -> (n, 1, ...)."""
    size = t.flatten(1).square().sum(1).sqrt().clamp(min=1e-12)
    return size.view(-1, *[1] * (t.ndim - 1))
