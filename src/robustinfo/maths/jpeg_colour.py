"""RGB to YCbCr and back in whole numbers, as libjpeg's jccolor.c and jdcolor.c do it.

ITU-R BT.601 over the full range (JFIF), constants of 16 bits:
Y = 0.299 R + 0.587 G + 0.114 B,  Cb = 128 + (B - Y) / 1.772,  Cr = 128 + (R - Y) / 1.402.

The sums run in float32 and are exact: multiples of 2^-16 of at most 256 take 24 bits. On the way
back some exceed 256, and are limited to 255.
"""

import torch
from torch import Tensor

ONE = 2**16
LUMA = (19595, 38470, 7471)  # of red, green and blue, in units of 1 / ONE
TO_YCC = (LUMA, (-11059, -21709, 32768), (32768, -27439, -5329))
_HALF, _LESS = 0.5, 0.5 - 1 / ONE  # libjpeg rounds Cb and Cr with less: 255.5 becomes 255
_ADDED = tuple(torch.tensor(value) for value in (_HALF, 128 + _LESS, 128 + _LESS))


def to_ycc(rgb: Tensor) -> Tensor:
    """(3, ...) whole numbers in 0..255, float32, to Y, Cb and Cr: (3, ...) int16, in 0..255."""
    red, green, blue = rgb
    ycc = torch.empty(rgb.shape, dtype=torch.int16, device=rgb.device)
    sums = torch.empty_like(red)
    for plane, added, (of_red, of_green, of_blue) in zip(ycc, _ADDED, TO_YCC, strict=True):
        torch.add(added, red, alpha=of_red / ONE, out=sums)
        sums.add_(green, alpha=of_green / ONE).add_(blue, alpha=of_blue / ONE)
        plane.copy_(sums)  # truncated, which is floor: no sum is below 0
    return ycc


def to_rgb(y: Tensor, cb: Tensor, cr: Tensor) -> Tensor:
    """int16 in 0..255 of one shape to the same of R, G and B: (3, ...)."""
    y = y.float().add_(_HALF)
    rgb = y.new_empty(3, *y.shape)
    red, green, blue = rgb
    red.copy_(cr).sub_(128)
    blue.copy_(cb).sub_(128)
    # Y comes last: with one of the two it may exceed 256 where with both it does not.
    torch.mul(blue, -22554 / ONE, out=green).add_(red, alpha=-46802 / ONE).add_(y)
    torch.add(y, red, alpha=91881 / ONE, out=red)
    torch.add(y, blue, alpha=116130 / ONE, out=blue)
    return rgb.to(torch.int16).clamp_(0, 255)  # truncated, which below 0 is limited anyway
