"""Size of the whole JPEG file, header included, with Pillow's defaults at a quality."""

import torch
from torch import Tensor

from robustinfo.distortions import _pillow, jpeg
from robustinfo.settings import Settings


class Config(Settings):
    quality: jpeg.Quality


def measure(images: Tensor, *, config: Config) -> Tensor:
    """images: (n, c, h, w) uint8, c 1 or 3 (else ValueError). Returns (n,) float64, bytes."""
    encoded = [
        _pillow.encode(image, "JPEG", quality=config.quality) for image in _pillow.to_pillow(images)
    ]
    return torch.tensor([len(file) for file in encoded], dtype=torch.float64)
