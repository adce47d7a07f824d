"""Entropies of a discretised representation: the whole layer vector is one symbol. In bits.

Shwartz-Ziv and Tishby (2017), arXiv 1703.00810. A deterministic T has I(T_b; X) = H(T_b).
"""

import numpy as np
import torch
from torch import Tensor

from robustinfo.maths.alike import first_alike

# Added to a whole number below 2^51, it makes the bits of the double count up with the number.
COUNTING = 1.5 * 2.0**52


def symbols(t: Tensor, width: float, origin: float = 0.0) -> np.ndarray:
    """floor((t - origin) / width), one id per distinct row: (n, d) -> (n,) ids from 0.

    t: finite, of any size: cells are whole numbers in double precision.  Ids count first meetings.
    """

    def cells(values: Tensor) -> Tensor:
        return (values.double() - origin).div_(width).floor_()

    def numbers(values: Tensor) -> Tensor:
        return cells(values).add_(COUNTING).view(torch.int64)

    def same(one: Tensor, other: Tensor) -> Tensor:
        found = (one == other).all(1)  # of equal values the cells are equal, and need no division
        rest = (~found).nonzero().squeeze(1)
        if len(rest):
            found[rest] = (cells(one[rest]) == cells(other[rest])).all(1)
        return found

    first = first_alike(t, numbers, same)
    return np.unique(first.cpu().numpy(), return_inverse=True)[1]


def entropies_bits(ids: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """(H(T_b), sum_c p_c H(T_b | c)) in bits, of the (n,) ids and their (n,) labels."""

    def entropy(of: np.ndarray) -> float:
        p = np.unique(of, return_counts=True)[1] / len(of)
        return float(-(p * np.log2(p)).sum()) + 0.0

    within = sum(np.mean(y == c) * entropy(ids[y == c]) for c in np.unique(y))
    return entropy(ids), float(within)
