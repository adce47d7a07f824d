"""Entropy of an image's pixel values in bits per symbol, where the pixels stand playing no part.

The alphabet says what a symbol is: a byte (any channel's), a grey value, an RGB triple. Values of
different alphabets do not compare. Both estimators are biased where an image has few pixels for
its alphabet, the plug-in more: 1,024 triples cannot show more than 10 bits. See maths/entropy.py.
"""

from typing import Literal

import torch
from torch import Tensor

from robustinfo.faults import Fault
from robustinfo.maths.entropy import jvhw_bits, plug_in_bits, run_counts
from robustinfo.settings import Settings

ESTIMATORS = {"plug_in": plug_in_bits, "jvhw": jvhw_bits}
IMAGES_AT_ONCE = 1000  # bounds memory; the values do not depend on it


class Config(Settings):
    alphabet: Literal["byte", "grey", "rgb"]
    estimator: Literal["plug_in", "jvhw"]


def measure(images: Tensor, *, config: Config) -> Tensor:
    """images: (n, c, h, w) uint8. Returns (n,) float64, bits per symbol.

    Raises ValueError for another dtype, or for grey and rgb if c is neither 1 nor 3.
    """
    if images.dtype != torch.uint8:
        raise Fault(f"images must be 8-bit (torch.uint8), not {images.dtype}")
    estimate = ESTIMATORS[config.estimator]
    return torch.cat(
        [
            estimate(run_counts(symbols(batch, config.alphabet)))
            for batch in images.split(IMAGES_AT_ONCE)
        ]
    )


def symbols(images: Tensor, alphabet: str) -> Tensor:
    """(n, c, h, w) uint8 to (n, m) integers: m = c h w bytes, or h w grey values or triples.

    Grey is the luma of Pillow's ``convert("L")``: (19595 R + 38470 G + 7471 B + 2^15) >> 16.
    """
    channels = images.shape[1]
    if alphabet == "byte" or channels == 1:
        return images.flatten(1)
    if channels != 3:
        raise Fault(f"the {alphabet} alphabet needs 1 or 3 channels, not {channels}")
    red, green, blue = images.flatten(2).int().unbind(dim=1)  # (n, h w) each
    if alphabet == "grey":
        return (19595 * red + 38470 * green + 7471 * blue + (1 << 15)) >> 16
    return (red << 16) + (green << 8) + blue
