"""Images as networks read them: uint8 on disk, floats in [0, 1] on the device, batch by batch."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

EVALUATION_BATCH = 512  # images at once where no gradient of the weights is kept


def floats(images: Tensor, device: torch.device | str | None = None) -> Tensor:
    """uint8 (n, c, h, w) -> float32 in [0, 1] on the device; None: where they are."""
    return images.to(device).float() / 255


def batches(
    images: Tensor, labels: Tensor, size: int, device: torch.device | str = "cpu"
) -> Iterator[tuple[Tensor, Tensor]]:
    """(x, y) in order: x (size, c, h, w) in [0, 1], y (size,), both on the device."""
    for chosen, y in zip(images.split(size), labels.split(size), strict=True):
        yield floats(chosen, device), y.to(device)


@torch.no_grad()
def correct(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """(n,) bool on the device of x: is the label the most likely class? Modes stay as they are."""
    parts = zip(x.split(EVALUATION_BATCH), y.split(EVALUATION_BATCH), strict=True)
    return torch.cat([model(a).argmax(1) == b for a, b in parts])
