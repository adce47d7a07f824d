"""Norms of perturbations, feasibility in the ball and the [0, 1] box, projection, random points."""

from typing import Any

import torch
from torch import Tensor

SAME = 1e-3  # of an epsilon: 0.031 and 8/255 differ by more, 0.0314 and 8/255 do not
TOLERANCE = 1e-6  # rounding of float32, relative above 1; more makes a perturbation invalid


def distance(delta: Tensor, norm: str) -> Tensor:
    """The norm, ``linf`` or ``l2``, of each perturbation: (n, ...) -> (n,)."""
    flat = delta.flatten(1)
    return flat.abs().amax(1) if norm == "linf" else flat.norm(dim=1)


def same_ball(one: tuple[str, float | None], other: tuple[str, float | None]) -> bool:
    """Whether two threat models, (norm, epsilon or None), are one, however epsilon is written."""
    (norm, epsilon), (other_norm, other_epsilon) = one, other
    if norm != other_norm or epsilon is None or other_epsilon is None:
        return one == other
    return abs(epsilon - other_epsilon) <= SAME * max(epsilon, other_epsilon)


def feasible(x: Tensor, x_adv: Tensor, norm: str, epsilon: float | None) -> Tensor:
    """True where x_adv is finite, in [0, 1] and within epsilon (if any) of x: (n, ...) -> (n,)."""
    flat = x_adv.flatten(1)
    inside = flat.isfinite().all(1) & (flat.amin(1) >= 0) & (flat.amax(1) <= 1)
    if epsilon is None:
        return inside
    # Attacks project in float32, whose rounding grows with the norm: 1e-6 is too little at l2 10.
    limit = epsilon + TOLERANCE * max(1.0, epsilon)
    return inside & (distance(x_adv.double() - x.double(), norm) <= limit)


def projected(x: Tensor, x_adv: Tensor, norm: str, epsilon: float | Tensor | None) -> Tensor:
    """x_adv projected to the ball of epsilon (if any) around x, in [0, 1], and clipped to [0, 1].

    In l2 the perturbation is scaled, in linf it is clipped: (n, ...) -> (n, ...). epsilon: of all,
    or of each, (n,).
    """
    if epsilon is None:
        return x_adv.clamp(0, 1)
    delta = x_adv - x
    most: Any = epsilon
    if isinstance(epsilon, Tensor):
        most = epsilon.view(-1, *[1] * (delta.ndim - 1))
    if norm == "linf":
        delta = delta.clamp(-most, most)
    else:
        delta = delta * (most / _length(delta)).clamp(max=1)
    return (x + delta).clamp(0, 1)


def steepest(gradient: Tensor, norm: str) -> Tensor:
    """The direction of steepest ascent, of norm 1: (n, ...) -> (n, ...).

    In linf the gradient's sign; in l2 the gradient over its norm, shorter below 1e-12, and 0 for 0.
    """
    return gradient.sign() if norm == "linf" else gradient * (1 / _length(gradient))


def uniform(x: Tensor, norm: str, radius: float) -> Tensor:
    """A random point for each of x, (n, ...), uniform in the ball around it; may leave [0, 1].

    From torch's global random numbers.
    """
    like: dict[str, Any] = {"dtype": x.dtype, "device": x.device}
    if norm == "linf":
        return x + (torch.rand(x.shape, **like) * (2 * radius) - radius)
    # d of d + 2 normal numbers, over the length of all: Voelker et al. (2017).
    drawn = torch.randn(len(x), x.flatten(1).shape[1] + 2, **like)
    inside = (drawn / _length(drawn))[:, :-2]
    return x + radius * inside.reshape(x.shape)


def _length(t: Tensor) -> Tensor:
    """The l2 norm of each image, at least 1e-12, to divide by: (n, ...) -> (n, 1, ...)."""
    size = t.flatten(1).square().sum(1).sqrt().clamp(min=1e-12)
    return size.view(-1, *[1] * (t.ndim - 1))
