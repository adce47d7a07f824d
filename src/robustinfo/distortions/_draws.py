"""Random numbers of distortions: drawn where the generator is, and moved to the images."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor


def normal(shape: Sequence[int], generator: Generator, like: Tensor) -> Tensor:
    """Standard normal numbers, with the dtype and device of ``like``."""
    drawn = torch.randn(shape, generator=generator, device=generator.device, dtype=like.dtype)
    return drawn.to(like.device)


def uniform(shape: Sequence[int], generator: Generator, like: Tensor) -> Tensor:
    """Uniform numbers from 0 to 1, with the dtype and device of ``like``."""
    drawn = torch.rand(shape, generator=generator, device=generator.device, dtype=like.dtype)
    return drawn.to(like.device)
