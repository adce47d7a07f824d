"""Entropies of a discretised representation: the whole layer vector is one symbol. In bits.

Shwartz-Ziv and Tishby (2017), arXiv 1703.00810. A deterministic T has I(T_b; X) = H(T_b).

Rows are told apart by a hash: their cells times numbers drawn for the columns, summed modulo 2^64.
Two given rows share it with probability 2^(v - 64), 2^v being the largest power of two that divides
all their differences (v is 0 as soon as one is odd). No result depends on that: rows that share a
hash are compared. A row that differs from all others in its first columns has the rest unread.
"""

import numpy as np
import torch
from torch import Tensor

CELLS = 2**16  # held at once: half a megabyte, which stays in the cache from step to step
BLOCK = 512  # columns read before it is asked which rows differ by now
# Added to a whole number below 2^51, it makes the bits of the double count up with the number.
COUNTING = 1.5 * 2.0**52


def symbols(t: Tensor, width: float, origin: float = 0.0) -> np.ndarray:
    """floor((t - origin) / width), one id per distinct row: (n, d) -> (n,) ids from 0.

    t: finite, of any size: cells are whole numbers in double precision.  Ids count first meetings.
    """

    def cells(values: Tensor) -> Tensor:
        return (values.double() - origin).div_(width).floor_()

    n, d = t.shape
    factors = torch.randint(-(2**63), 2**63 - 1, (d,), generator=torch.Generator().manual_seed(0))
    factors = factors.to(t.device)
    first = torch.arange(n, device=t.device)  # of the rows with the same cells
    open_rows, hashes = first.clone(), torch.zeros_like(first)
    for columns in (slice(at, at + BLOCK) for at in range(0, d, BLOCK)):
        for part in open_rows.split(max(1, CELLS // min(d, BLOCK))):
            hashes[part] += _hash(cells(t[part, columns]), factors[columns])
        open_rows = open_rows[_shared(hashes[open_rows])]
    while len(open_rows):
        first[open_rows] = open_rows[_first_alike(hashes[open_rows])]
        parts = open_rows[first[open_rows] != open_rows].split(max(1, CELLS // d))
        # Shared by chance: those rows are alike among themselves, or are not.
        apart = [part[(cells(t[part]) != cells(t[first[part]])).any(1)] for part in parts]
        open_rows = torch.cat(apart)
    return np.unique(first.cpu().numpy(), return_inverse=True)[1]


def _hash(cells: Tensor, factors: Tensor) -> Tensor:
    """(p, d) -> (p,) of 64 bits. ``cells`` is overwritten."""
    return cells.add_(COUNTING).view(torch.int64).mul_(factors).sum(1)


def _shared(hashes: Tensor) -> Tensor:
    """Whether another hash is the same: (n,) -> (n,) bool."""
    _, inverse, counts = hashes.unique(return_inverse=True, return_counts=True)
    return counts[inverse] > 1


def _first_alike(hashes: Tensor) -> Tensor:
    """The index of the first equal hash: (n,) -> (n,)."""
    distinct, inverse = hashes.unique(return_inverse=True)
    at = torch.arange(len(hashes), device=hashes.device)
    return at.new_full((len(distinct),), len(at)).scatter_reduce_(0, inverse, at, "amin")[inverse]


def entropies_bits(ids: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """(H(T_b), sum_c p_c H(T_b | c)) in bits, of the (n,) ids and their (n,) labels."""

    def entropy(of: np.ndarray) -> float:
        p = np.unique(of, return_counts=True)[1] / len(of)
        return float(-(p * np.log2(p)).sum()) + 0.0

    within = sum(np.mean(y == c) * entropy(ids[y == c]) for c in np.unique(y))
    return entropy(ids), float(within)
