"""One image file as pixels, or a UserError that names it; and images of another size.

The orientation of EXIF is applied: pixels are as a viewer shows them. So is transparency: what is
not opaque is laid on white, as on paper; without that, a black drawing on a transparent ground
is all black. An alpha channel that is opaque everywhere changes nothing. Of several frames the
first is read.
"""

from functools import cache
from pathlib import Path

import torch
from PIL import Image, ImageOps, PngImagePlugin
from torch import Tensor

from robustinfo.core.batches import EVALUATION_BATCH
from robustinfo.datasets._storage import DataError

GREY, COLOUR = ("1", "L"), ("RGB", "RGBA", "LA", "P", "PA", "CMYK", "YCbCr", "HSV", "RGBX")
MOST_PIXELS = 178_956_970  # of an image, also an enlarged one: Pillow's own limit of a file
# Texts and profiles that editors write beside the pixels are often above Pillow's 1 MB; all texts
# of a file together stay below this.
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY
# Notes on changes of an image that its pixels do not show.
LAID_ON_WHITE = "not opaque everywhere, and laid on white"
TURNED = "turned as their EXIF orientation says"
FIRST_FRAME = "of several frames, of which the first is read"


def read_image(file: Path, size: int | None) -> tuple[Tensor, set[str]]:
    """The image, uint8 (c, h, w), grey or RGB, resized to ``size`` if given; and notes on it.

    Raises DataError for a file that is no intact image of 8 bits.
    """
    from torchvision.transforms.v2.functional import pil_to_tensor

    try:
        with Image.open(file, formats=_formats()) as source:
            notes = {FIRST_FRAME} if getattr(source, "n_frames", 1) > 1 else set()
            mode = _pixel_format(source)
            image = ImageOps.exif_transpose(source)
            if source.getexif().get(0x0112, 1) != 1:
                notes.add(TURNED)
            if mode in GREY + COLOUR:
                flat = _on_white(image)
                notes |= {LAID_ON_WHITE} if flat is not image else set()
                image = flat.convert("L" if mode in GREY else "RGB")
    # Every reader of Pillow has errors of its own, MemoryError, IndexError and struct.error too.
    except Exception as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{file} is no readable image ({why}); remove or replace it") from error
    if mode not in GREY + COLOUR:
        raise DataError(f"{file} has {mode} pixels, not 8 bits; convert it first")
    _refuse_huge(f"{file} of {image.width} x {image.height} pixels", *image.size, size)
    return pil_to_tensor(_transform(size)(image)), notes


def resized(images: Tensor, size: int | None) -> Tensor:
    """uint8 (n, c, h, w): the shorter side becomes ``size``, the middle is cut out; None: as is."""
    if size is None or images.shape[2:] == (size, size):
        return images
    _refuse_huge("an image of the data set", images.shape[2], images.shape[3], size)
    transform = _transform(size)
    return torch.cat([transform(part) for part in images.split(EVALUATION_BATCH)])


@cache
def _formats() -> list[str]:
    """What Pillow reads by itself; for EPS, whatever the file is called, it runs Ghostscript."""
    Image.init()
    return [name for name in Image.ID if name != "EPS"]


def _pixel_format(source: Image.Image) -> str:
    """The mode of an image, or its file's 16-bit format where Pillow would drop half of the bits.

    To be called before the pixels are read, which empties the list of tiles.
    """
    tile = getattr(source, "tile", None)  # of files alone
    args = tile[0].args if tile else None
    packed, *more = args if isinstance(args, tuple) else (args,)
    if source.format == "PPM" and packed == "RGB" and more and more[0] > 255:  # the greatest value
        packed = "RGB;16B"
    dropped = source.mode in COLOUR and isinstance(packed, str) and ";16" in packed
    return packed if dropped else source.mode


def _on_white(image: Image.Image) -> Image.Image:
    """The image itself if it is opaque, else composed on white."""
    if not image.has_transparency_data:
        return image
    clear = image.convert("RGBA")
    if clear.getchannel("A").getextrema() == (255, 255):
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), clear)


def _refuse_huge(what: str, height: int, width: int, size: int | None) -> None:
    """Raise DataError if a size would make more pixels of an image than memory should hold."""
    if size is not None and size * max(height, width) / min(height, width) * size > MOST_PIXELS:
        raise DataError(
            f"{what} would have more than {MOST_PIXELS:,} pixels where its shorter side has "
            f"{size}; give a smaller --size, or remove it"
        )


def _transform(size: int | None) -> torch.nn.Module:
    from torchvision.transforms import v2  # slow

    if size is None:
        return v2.Identity()
    return v2.Compose([v2.Resize(size), v2.CenterCrop(size)])
