"""JPEG compression: round to 8 bits, encode with Pillow's defaults at a quality, decode.

As a defence: Dziugaite, Ghahramani and Roy (2016), arXiv 1608.00853. Lossy at every quality, 100
included. Colour is stored at half the resolution, which is Pillow's default.
"""

from io import BytesIO
from typing import Annotated

import torch
from PIL import Image
from pydantic import Field
from torch import Tensor

from robustinfo.distortions import _pillow, eight_bit
from robustinfo.settings import Settings

Quality = Annotated[int, Field(ge=1, le=100)]


class Config(Settings):
    quality: Quality


def distort(x: Tensor, *, config: Config, generator: torch.Generator) -> Tensor:
    """x: (n, c, h, w) in [0, 1], c 1 or 3. Returns the same shape, dtype and device. Draws nothing.

    Raises ValueError for another number of channels or if x leaves [0, 1].
    """
    if len(x) == 0:
        return x
    images = _pillow.to_pillow(eight_bit.to_bytes(x))
    files = [_pillow.encode(image, "JPEG", quality=config.quality) for image in images]
    decoded = _pillow.from_pillow([Image.open(BytesIO(file)) for file in files])
    return eight_bit.from_bytes(decoded, like=x)
