"""Size of the raw bytes, in (h, w, c) order, after zlib's deflate (RFC 1950): no image format.

Deflate finds runs that repeat, so unlike the entropy it depends on the order of the pixels.
"""

import zlib

import torch
from torch import Tensor

from robustinfo.core.settings import Settings
from robustinfo.distortions import _pillow

LEVEL = 9  # zlib searches longest

UNIT = "bytes"


class Config(Settings):
    pass


def measure(images: Tensor, *, config: Config) -> Tensor:
    """Sizes in bytes, (n,) float64.  images: (n, c, h, w) uint8, or ValueError."""
    packed = [zlib.compress(image, LEVEL) for image in _pillow.channels_last(images)]
    return torch.tensor([len(data) for data in packed], dtype=torch.float64)
