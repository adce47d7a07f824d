"""The linf norm: the largest change of a value."""

from typing import Any

import torch
from torch import Generator, Tensor

DUAL = 1.0
ROUNDING = 1e-6  # relative above 1


def length(delta: Tensor) -> Tensor:
    """(n, ...) -> (n,)."""
    return delta.flatten(1).abs().amax(1)


def tolerance(epsilon: float, values: int) -> float:
    """More makes a perturbation invalid."""
    return ROUNDING * max(1.0, epsilon)


def projected(x: Tensor, x_adv: Tensor, epsilon: float | Tensor) -> Tensor:
    """Every change is clipped."""
    most: Any = epsilon  # which clamp takes as a number or as a tensor
    return (x + (x_adv - x).clamp(-most, most)).clamp(0, 1)


def ascended(x: Tensor, at: Tensor, gradient: Tensor, size: float, epsilon: float) -> Tensor:
    """Along the gradient's sign, the steepest direction of length 1."""
    return projected(x, at + size * gradient.sign(), epsilon)


def uniform(x: Tensor, radius: float) -> Tensor:
    """Every value by itself."""
    drawn = torch.rand(x.shape, dtype=x.dtype, device=x.device)
    return x + (drawn * (2 * radius) - radius)


def spread(x: Tensor, radius: float, *, edge: bool, generator: Generator) -> Tensor:
    """Corners of the ball, or uniform."""
    drawn = torch.rand(x.shape, generator=generator, device=x.device, dtype=x.dtype)
    noise = 2 * drawn - 1
    return x + radius * (noise.sign() if edge else noise)


def largest_change(room: Tensor, slope: Tensor, epsilon: float) -> Tensor:
    """As far as epsilon and the room go."""
    return room.clamp(max=epsilon)
