"""RGB to YCbCr and back in whole numbers, as libjpeg's jccolor.c and jdcolor.c do it.

ITU-R BT.601 over the full range (JFIF), constants of 16 bits:
Y = 0.299 R + 0.587 G + 0.114 B,  Cb = 128 + (B - Y) / 1.772,  Cr = 128 + (R - Y) / 1.402.
Here all three are centred: 128 less than that, as the cosine transform takes them.

The sums run in float32 and are exact: multiples of 2^-16 of at most 256 take 24 bits. On the way
back some exceed 256, and are limited to 255.
"""

import torch
from torch import Tensor

_ONE = 2**16
_HALF, _LESS = 0.5, 0.5 - 1 / _ONE  # libjpeg rounds Cb and Cr with less: 255.5 becomes 255
_TO_YCC = (  # for each of the three the weights of R, G and B, and what is added
    (19595, 38470, 7471, _HALF),
    (-11059, -21709, 32768, 128 + _LESS),
    (32768, -27439, -5329, 128 + _LESS),
)


def to_ycc(rgb: Tensor) -> Tensor:
    """(3, ...) whole numbers in 0..255 as float32, to centred Y, Cb and Cr: (3, ...) int16."""
    red, green, blue = rgb
    ycc = torch.empty(rgb.shape, dtype=torch.int16, device=rgb.device)
    for plane, (of_red, of_green, of_blue, added) in zip(ycc, _TO_YCC, strict=True):
        sums = torch.add(rgb.new_tensor(added), red, alpha=of_red / _ONE)
        sums.add_(green, alpha=of_green / _ONE).add_(blue, alpha=of_blue / _ONE)
        plane.copy_(sums)  # truncated, which is floor: no sum is below 0
    return ycc.sub_(128)


def to_rgb(y: Tensor, cb: Tensor, cr: Tensor) -> Tensor:
    """Centred int16 of one shape to (3, ...) float32 in [0, 255]: the whole part is the colour."""
    y, cb, cr = y.float().add_(128 + _HALF), cb.float(), cr.float()
    rgb = y.new_empty(3, *y.shape)
    torch.add(y, cr, alpha=91881 / _ONE, out=rgb[0])
    # Y comes last: with one of the two it may exceed 256 where with both it does not.
    torch.mul(cb, -22554 / _ONE, out=rgb[1]).add_(cr, alpha=-46802 / _ONE).add_(y)
    torch.add(y, cb, alpha=116130 / _ONE, out=rgb[2])
    return rgb.clamp_(0, 255)
