"""The judged images, batch by batch, read when they are asked for."""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from robustinfo.core.batches import ImageSource, to_float


def sha256(*tensors: Tensor) -> str:
    """Of the bytes of all tensors."""
    content = hashlib.sha256()
    for tensor in tensors:
        content.update(tensor.cpu().contiguous().numpy().data)
    return content.hexdigest()


class Batch(NamedTuple):
    """Consecutive images on the device.  x: (n, c, h, w) in [0, 1].  y: (n,) labels."""

    x: Tensor
    y: Tensor
    start: int  # the index of the first among all images
    sha256: str  # of its images and labels

    @property
    def rows(self) -> slice:
        """Its rows of all images."""
        return slice(self.start, self.start + len(self.y))


class Batches:
    """The judged images, batch by batch, on the device."""

    def __init__(
        self, images: ImageSource, labels: Tensor, size: int, device: torch.device
    ) -> None:
        """Batches of ``size`` of the first n images.  labels: (n,)."""
        self.images, self.labels, self.size, self.device = images, labels, size, device

    def __iter__(self) -> Iterator[tuple[Batch, str]]:
        """Each batch, and its images in words, where there are several batches."""
        n = len(self.labels)
        for start in range(0, n, self.size):
            stop = min(start + self.size, n)
            words = f", images {start + 1:,} to {stop:,} of {n:,}" if n > self.size else ""
            yield self.read(start, stop), words

    def read(self, start: int, stop: int) -> Batch:
        """The images from ``start`` to before ``stop`` as one batch."""
        x = to_float(self.images[start:stop], self.device)
        y = self.labels[start:stop].to(self.device)
        return Batch(x, y, start, sha256(x, y))
