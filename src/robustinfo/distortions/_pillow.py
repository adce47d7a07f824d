"""Image tensors to Pillow, and a Pillow image as a file's bytes."""

from io import BytesIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from robustinfo.core.errors import UserError


def channels_last(images: Tensor) -> np.ndarray:
    """(n, c, h, w) uint8 to (n, h, w, c), rows contiguous. Raises ValueError for another dtype."""
    if images.dtype != torch.uint8:
        raise UserError(f"images must be 8-bit (torch.uint8), not {images.dtype}")
    return images.permute(0, 2, 3, 1).contiguous().cpu().numpy()


def to_pillow(images: Tensor) -> list[Image.Image]:
    """(n, c, h, w) uint8 to n images, mode L for one channel and RGB for three.

    Raises ValueError for another number of channels.
    """
    channels = images.shape[1]
    if channels not in (1, 3):
        raise UserError(f"Pillow images have 1 or 3 channels here, not {channels}")
    arrays = channels_last(images)
    return [Image.fromarray(array[..., 0] if channels == 1 else array) for array in arrays]


def encode(image: Image.Image, file_format: str, **options: int) -> bytes:
    """The whole file, header included, that Pillow's ``save`` writes."""
    file = BytesIO()
    image.save(file, format=file_format, **options)
    return file.getvalue()
