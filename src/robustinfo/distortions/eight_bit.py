"""Rounding to the 256 values that an image file can hold: v' = round(255 v) / 255.

An adversarial image that is stored or sent is rounded; a perturbation below half a step, 0.5/255,
is undone by it.
"""

import torch
from torch import Tensor

from robustinfo.core.settings import Settings


class Config(Settings):
    pass


def distort(x: Tensor, *, config: Config, generator: torch.Generator) -> Tensor:
    """The distorted images, like x; deterministic.  x: (n, c, h, w) in [0, 1].

    Raises ValueError if x leaves [0, 1].
    """
    return from_bytes(to_bytes(x), like=x)


def to_bytes(x: Tensor) -> Tensor:
    """Images in [0, 1] to uint8, rounded to the nearest. Raises ValueError outside [0, 1]."""
    if not ((x >= 0) & (x <= 1)).all():
        raise ValueError(f"images must be in [0, 1], not [{x.min().item()}, {x.max().item()}]")
    return (x * 255).round().to(torch.uint8)


def from_bytes(images: Tensor, *, like: Tensor) -> Tensor:
    """uint8 images to [0, 1], with the dtype and device of ``like``."""
    return images.to(device=like.device, dtype=like.dtype) / 255
