"""The 8 x 8 cosine transform of JPEG in whole numbers: libjpeg's "islow" method, its default.

Loeffler, Ligtenberg and Moschytz (1989), as libjpeg's jfdctint.c and jidctint.c do it: constants of
13 bits; one dimension after the other; after each, a shift that rounds halves up. Up to that shift
all is linear, so each dimension is one product with a matrix of whole numbers. In float64 it is
exact: sums need 31 bits, and scales are powers of two.
"""

import torch
from torch import Tensor

# sqrt(8) times the orthonormal transform, times 2^13; the right half mirrors the left. Entries are
# sums of rounded constants, which is why those of one cosine may differ by 1.
_LEFT = [
    [8192, 8192, 8192, 8192],
    [11363, 9633, 6437, 2260],
    [10703, 4433, -4433, -10703],
    [9633, -2259, -11362, -6436],
    [8192, -8192, -8192, 8192],
    [6437, -11362, 2261, 9633],
    [4433, -10704, 10704, -4433],
    [2260, -6436, 9633, -11363],
]
TRANSFORM = torch.tensor(
    [left + [(-1) ** k * entry for entry in left[::-1]] for k, left in enumerate(_LEFT)],
    dtype=torch.float64,
)

# Between the two dimensions, values keep 2 bits more than a whole number has.
_ROWS_FORWARD, _COLUMNS_FORWARD = TRANSFORM / 2**11, TRANSFORM / 2**15
_COLUMNS_BACK, _ROWS_BACK = TRANSFORM.T / 2**11, TRANSFORM.T / 2**18

_MID_GREY = 8 * 128  # JPEG counts from 128: it has this coefficient of the mean, and no other
_NUDGE = 2**-20


def forward(samples: Tensor) -> Tensor:
    """Whole numbers in 0..255 to 8 times the orthonormal coefficients of samples - 128, rounded.

    (8, 8, m) float64, m blocks, contiguous; overwritten. Returns frequencies (u, v) first.
    """
    rows = _rounded(_ROWS_FORWARD, samples, torch.empty_like(samples))
    _rounded(_COLUMNS_FORWARD, rows.view(8, -1), samples.view(8, -1))
    samples[0, 0].sub_(8 * _MID_GREY)
    return samples


def inverse(coefficients: Tensor) -> Tensor:
    """Whole orthonormal coefficients to rounded samples, which may leave 0..255.

    (8, 8, m) float64, frequencies (u, v) first, contiguous; overwritten.
    """
    coefficients[0, 0].add_(_MID_GREY)
    columns = torch.empty_like(coefficients)
    _rounded(_COLUMNS_BACK, coefficients.view(8, -1), columns.view(8, -1))
    return _rounded(_ROWS_BACK, columns, coefficients)


def _rounded(matrix: Tensor, x: Tensor, out: Tensor) -> Tensor:
    """(8, 8) @ (8, m) or (8, 8, m), halves rounded up. Overwrites x.

    torch rounds halves to even. The first column of every matrix is positive: a little more in
    the first row of x lifts every half, and moves nothing else across one.
    """
    x.select(-2, 0).add_(_NUDGE)
    matrix = matrix.to(x.device)
    if x.ndim == 2:
        return torch.mm(matrix, x, out=out).round_()
    return torch.bmm(matrix.expand(8, 8, 8), x, out=out).round_()
