"""Inputs of networks on the device, batch by batch.

Images are uint8 on disk and floats in [0, 1] here; texts are the numbers of their words in both.
"""

from collections.abc import Iterator
from typing import Protocol

import torch
from torch import Tensor, nn

EVALUATION_BATCH = 512  # images at once where no gradient of the weights is kept
CACHE_BATCH = 128  # where any size will do: more leave a CPU's cache
VALUES = EVALUATION_BATCH * 3 * 64 * 64  # at once; 41 images of 224 x 224


class ImageSource(Protocol):
    """Images that are read a part at a time: a tensor, or files that are opened when asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, c, h, w)."""

    def __getitem__(self, part: slice, /) -> Tensor:
        """uint8, or floats in [0, 1]."""


def to_float(images: Tensor, device: torch.device | str | None = None) -> Tensor:
    """uint8 (n, c, h, w) -> float32 in [0, 1] on the device; None: where they are.

    Floats stay as they are. Words of texts, integers (n, length), become int64, as embeddings need
    them.
    """
    moved = images.to(device)
    if images.is_floating_point():
        return moved
    return moved.float() / 255 if images.dtype == torch.uint8 else moved.long()


def batches(
    images: Tensor, labels: Tensor, size: int, device: torch.device | str = "cpu"
) -> Iterator[tuple[Tensor, Tensor]]:
    """(x, y) in order: x as ``to_float`` returns it, y (size,), both on the device."""
    for chosen, y in zip(images.split(size), labels.split(size), strict=True):
        yield to_float(chosen, device), y.to(device)


def memory_batches(x: Tensor, *others: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Batches of x, (n, ...), and of the others, as large as memory allows for a gradient."""
    size = memory_batch(x[:1].numel()) if x.is_floating_point() else EVALUATION_BATCH
    return zip(x.split(size), *(other.split(size) for other in others), strict=True)


def memory_batch(values: int) -> int:
    """The number of images, of so many values each, that memory allows for a gradient."""
    return max(1, min(EVALUATION_BATCH, VALUES // max(1, values)))


def quick_batch(x: Tensor) -> int:
    """The number of images like x, (n, c, h, w), at once, where any number gives the same."""
    size = CACHE_BATCH if x.device.type == "cpu" else EVALUATION_BATCH
    return min(size, memory_batch(x[:1].numel()))


@torch.no_grad()
def correct(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Whether the label is the most likely class, (n,) bool on the device of x. Modes stay."""
    return torch.cat([model(a).argmax(1) == b for a, b in memory_batches(x, y)])


def accuracy(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """The fraction of x, (n, ...), whose label (n,) is the most likely class. Modes stay."""
    return correct(model, x, y).double().mean().item()
