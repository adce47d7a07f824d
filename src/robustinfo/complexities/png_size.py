"""Size of the whole PNG file, header included, with Pillow's defaults. PNG loses nothing."""

import torch
from torch import Tensor

from robustinfo.core.settings import Settings
from robustinfo.distortions import _pillow

UNIT = "bytes"


class Config(Settings):
    pass


def measure(images: Tensor, *, config: Config) -> Tensor:
    """File sizes in bytes, (n,) float64.  images: (n, c, h, w) uint8, c 1 or 3, or ValueError."""
    encoded = [_pillow.encode(image, "PNG") for image in _pillow.to_pillow(images)]
    return torch.tensor([len(file) for file in encoded], dtype=torch.float64)
