"""JPEG compression and back: round to 8 bits, encode with Pillow's defaults at a quality, decode.

As a defence: Dziugaite, Ghahramani and Roy (2016), arXiv 1608.00853. Lossy at every quality, 100
included. Colour is stored at half the resolution, which is Pillow's default.

There is no file: Huffman coding loses nothing, so all the rest is arithmetic, done here on many
images at once. Every byte is that of Pillow with libjpeg-turbo, tested against the one installed,
and of any codec with the "islow" transform and "fancy" upsampling of libjpeg 6b. Only where a
sample overshoots -384..639, for which an image must be made, does plain C code without vector
instructions wrap around; here, as with them, it is limited.
"""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from robustinfo.core.errors import UserError
from robustinfo.core.settings import Settings
from robustinfo.distortions import eight_bit
from robustinfo.maths import jpeg_chroma, jpeg_colour, jpeg_dct, jpeg_quantisation

Quality = Annotated[int, Field(ge=1, le=100)]

PIXELS_CACHE_BATCH, PIXELS_ON_GPU = 2**16, 2**22  # at once, at some 50 bytes each


class Config(Settings):
    quality: Quality  # of the encoder, 1 to 100


def distort(x: Tensor, *, config: Config, generator: torch.Generator) -> Tensor:
    """The distorted images, like x; deterministic.  x: (n, c, h, w) in [0, 1], c 1 or 3.

    Raises ValueError for another number of channels or if x leaves [0, 1].
    """
    return eight_bit.from_bytes(round_trip(eight_bit.to_bytes(x), config.quality), like=x)


def round_trip(images: Tensor, quality: int) -> Tensor:
    """The images after JPEG at that quality: (n, c, h, w) uint8 -> the same shape and device.

    Raises ValueError for another dtype, or if c is neither 1 nor 3.
    """
    _, c, h, w = images.shape
    if images.dtype != torch.uint8:
        raise UserError(f"images must be 8-bit (torch.uint8), not {images.dtype}")
    if c not in (1, 3):
        raise UserError(f"JPEG images have 1 or 3 channels here, not {c}")
    codec = _grey if c == 1 else _colour
    steps = jpeg_quantisation.steps(quality).to(images.device, torch.float64)
    decoded = torch.empty(images.shape, dtype=torch.uint8, device=images.device)
    pixels = PIXELS_CACHE_BATCH if images.device.type == "cpu" else PIXELS_ON_GPU
    at_once = max(1, pixels // (h * w))
    for before, after in zip(images.split(at_once), decoded.split(at_once), strict=True):
        after.flatten(1).copy_(codec(before, steps).flatten(0, 2).T)
    return decoded


def _images_last(images: Tensor, dtype: torch.dtype) -> Tensor:
    """(n, c, h, w) uint8 to (c, h, w, n), so that neighbours are whole runs of images."""
    n, c, h, w = images.shape
    planes = torch.empty((c, h, w, n), dtype=dtype, device=images.device)
    planes.flatten(0, 2).copy_(images.flatten(1).T)
    return planes


def _grey(images: Tensor, steps: Tensor) -> Tensor:
    """(n, 1, h, w) uint8 and the steps (2, 8, 8) to the decoded (1, h, w, n) int16."""
    _, _, h, w = images.shape
    (grey,) = _encode_decode([_images_last(images, torch.int16)], steps[:1])
    return grey[:, :h, :w]


def _colour(images: Tensor, steps: Tensor) -> Tensor:
    """(n, 3, h, w) uint8 and the steps (2, 8, 8) to the decoded (3, h, w, n) int16."""
    _, _, h, w = images.shape
    # libjpeg repeats columns up to whole blocks before halving, but rows only up to an even number.
    ycc = jpeg_colour.to_ycc(_padded(_images_last(images, torch.float32), 2, 16))
    (y,), chroma = _encode_decode([ycc[:1], jpeg_chroma.downsample(ycc[1:])], steps)
    # Back, padding takes no part: an edge is the last sample that the image has.
    chroma = jpeg_chroma.upsample(chroma[:, : (h + 1) // 2, : (w + 1) // 2])
    return jpeg_colour.to_rgb(y[:h, :w], *chroma[:, :h, :w])


def _encode_decode(components: list[Tensor], steps: Tensor) -> list[Tensor]:
    """(c, h, w, n) each, and their (8, 8) steps, to what is decoded: padded, perhaps in place."""
    components = [_padded(component, 8, 8) for component in components]
    views = [_blocks(component) for component in components]
    sizes = [view.shape[2:].numel() for view in views]
    blocks = steps.new_empty(8, 8, sum(sizes))
    for part, view in zip(blocks.split(sizes, 2), views, strict=True):
        part.view(view.shape).copy_(view)
    blocks = jpeg_dct.forward(blocks)
    for part, step in zip(blocks.split(sizes, 2), steps, strict=True):
        jpeg_quantisation.quantise_(part, step)
    blocks = jpeg_dct.inverse(blocks)
    for part, view in zip(blocks.split(sizes, 2), views, strict=True):
        view.copy_(part.view(view.shape))
    return [component.clamp_(0, 255) for component in components]


def _blocks(x: Tensor) -> Tensor:
    """A view of (c, h, w, n), h and w multiples of 8: (8, 8, c, h / 8, w / 8, n)."""
    c, h, w, n = x.shape
    return x.view(c, h // 8, 8, w // 8, 8, n).permute(2, 4, 0, 1, 3, 5)


def _padded(x: Tensor, rows: int, columns: int) -> Tensor:
    """(c, h, w, n), its last row and column repeated until h and w are multiples of the two."""
    for dim, multiple in ((1, rows), (2, columns)):
        size = x.shape[dim]
        if size % multiple:
            kept = torch.arange(size + -size % multiple, device=x.device).clamp_(max=size - 1)
            x = x.index_select(dim, kept)
    return x
