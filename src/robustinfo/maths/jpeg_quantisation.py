"""The loss that JPEG intends: every coefficient is rounded to a multiple of its frequency's step.

The example tables of the standard (ITU-T T.81, K.1 and K.2), scaled by libjpeg's quality:
step = (table * scale + 50) // 100, at least 1 and at most 255, where scale is 5000 // quality below
50 and 200 - 2 quality from there on. Halves are rounded away from 0.
"""

import torch
from torch import Tensor

LUMINANCE = torch.tensor(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)
CHROMINANCE = torch.full((8, 8), 99)
CHROMINANCE[:4, :4] = torch.tensor(
    [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]
)


def steps(quality: int) -> Tensor:
    """The whole numbers of a quality: (2, 8, 8), of luminance and of chrominance.

    Raises ValueError for a quality outside 1..100.
    """
    if not 1 <= quality <= 100:
        raise ValueError(f"no JPEG has quality {quality!r}; it must be in 1..100")
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return ((torch.stack([LUMINANCE, CHROMINANCE]) * scale + 50) // 100).clamp(1, 255)


def quantise_(coefficients: Tensor, step: Tensor) -> Tensor:
    """In place, 8 times the coefficients become multiples of their step, no longer times 8.

    (8, 8, m) float64, as ``jpeg_dct.forward`` returns them, and (8, 8).
    """
    step = step.to(coefficients)[..., None]
    # torch rounds halves to even. The quotients, at most 2^10, are halves or miss them by 1 / 2040
    # and more: being 2^-30 too large moves the halves away from 0 and nothing else across one.
    return coefficients.mul_(((8 - 2**-27) * step).reciprocal()).round_().mul_(step)
