"""Entropy of an image's pixel values in bits per symbol, whatever the pixels' positions.

The alphabet says what a symbol is: a byte (any channel's), a grey value, an RGB triple. Values of
different alphabets do not compare. Both estimators are biased where an image has few pixels for
its alphabet, the plug-in more: 1,024 triples cannot show more than 10 bits. See maths/entropy.py.
"""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from robustinfo.core.errors import UserError
from robustinfo.core.settings import Settings
from robustinfo.maths.entropy import jvhw_bits, plug_in_bits, run_counts
from robustinfo.maths.jpeg_colour import LUMA, ONE

ESTIMATORS = {"plug_in": plug_in_bits, "jvhw": jvhw_bits}
BANDWIDTH = 4  # levels of 256, of the surrogate
IMAGES_AT_ONCE = 1000  # bounds memory; the values do not depend on it

UNIT = "bits per symbol"


class Config(Settings):
    # what counts as a symbol: a byte, a grey value, or a colour
    alphabet: Literal["byte", "grey", "rgb"]
    estimator: Literal["plug_in", "jvhw"]  # of the entropy from the histogram


def measure(images: Tensor, *, config: Config) -> Tensor:
    """Entropies in bits per symbol, (n,) float64.  images: (n, c, h, w) uint8.

    Raises ValueError for another dtype, or for grey and rgb if c is neither 1 nor 3.
    """
    if images.dtype != torch.uint8:
        raise UserError(f"images must be 8-bit (torch.uint8), not {images.dtype}")
    estimate = ESTIMATORS[config.estimator]
    return torch.cat(
        [
            estimate(run_counts(symbols(batch, config.alphabet)))
            for batch in images.split(IMAGES_AT_ONCE)
        ]
    )


def surrogate(x: Tensor, *, config: Config) -> Tensor:
    """A differentiable stand-in for the plug-in entropy, which an attacker minimises.

    x: (n, c, h, w) in [0, 1], floats. Returns (n,) bits: the entropy of the histogram of bytes or
    grey values, smoothed by a Gaussian of ``BANDWIDTH`` levels, so that near values attract each
    other. Raises ValueError for triples: of their 2^24 symbols hardly two are ever near.
    """
    if config.alphabet == "rgb" and x.shape[1] > 1:
        raise UserError("the entropy of rgb triples has no surrogate; attack bytes or grey values")
    if config.alphabet == "grey" and x.shape[1] == 3:
        x = torch.einsum("c,nchw->nhw", x.new_tensor(LUMA) / ONE, x)
    v = x.flatten(1) * 255  # (n, m)
    below = v.detach().floor().clamp(0, 254)
    upper = v - below
    counts = v.new_zeros(len(v), 256).scatter_add(1, below.long(), 1 - upper)
    counts = counts.scatter_add(1, below.long() + 1, upper)
    offsets = torch.arange(-4 * BANDWIDTH, 4 * BANDWIDTH + 1, device=x.device, dtype=x.dtype)
    kernel = (-0.5 * (offsets / BANDWIDTH).square()).softmax(0)
    counts = F.conv1d(counts[:, None], kernel.view(1, 1, -1), padding=len(offsets) // 2).squeeze(1)
    p = counts / counts.sum(1, keepdim=True)
    return -(p * p.clamp(min=1e-12).log2()).sum(1)


def symbols(images: Tensor, alphabet: str) -> Tensor:
    """(n, c, h, w) uint8 to (n, m) integers: m = c h w bytes, or h w grey values or triples.

    Grey is the luma of Pillow's ``convert("L")``, which is JPEG's.
    """
    channels = images.shape[1]
    if alphabet == "byte" or channels == 1:
        return images.flatten(1)
    if channels != 3:
        raise UserError(f"the {alphabet} alphabet needs 1 or 3 channels, not {channels}")
    red, green, blue = images.flatten(2).int().unbind(dim=1)  # (n, h w) each
    if alphabet == "grey":
        of_red, of_green, of_blue = LUMA
        return (of_red * red + of_green * green + of_blue * blue + ONE // 2) // ONE
    return (red << 16) + (green << 8) + blue
