"""Size of the raw bytes, in (h, w, c) order, after zlib's deflate (RFC 1950): no image format.

Deflate finds runs that repeat, so unlike the entropy it depends on the order of the pixels.
"""

import zlib
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from robustinfo.core.settings import Settings
from robustinfo.distortions import _pillow


class Config(Settings):
    level: Annotated[int, Field(ge=0, le=9)] = 9  # 0 stores, 9 searches longest


def measure(images: Tensor, *, config: Config) -> Tensor:
    """Sizes in bytes, (n,) float64.  images: (n, c, h, w) uint8, or ValueError."""
    packed = [zlib.compress(image, config.level) for image in _pillow.channels_last(images)]
    return torch.tensor([len(data) for data in packed], dtype=torch.float64)
