"""Which rows of a matrix are alike, without sorting rows: each by the first that equals it.

Rows are told apart by a hash: their numbers times factors drawn for the columns, summed modulo
2^64. Two given rows share it with probability 2^(v - 64), 2^v being the largest power of two that
divides all their differences (v is 0 as soon as one is odd). No result depends on that: rows that
share a hash are compared. A row that differs from all others in its first columns has the rest
unread.
"""

from collections.abc import Callable

import torch
from torch import Tensor

CELLS = 2**16  # held at once: half a megabyte, which stays in the cache from step to step
WHOLE = {2: torch.int16, 4: torch.int32, 8: torch.int64}  # of as many bytes as a float
BLOCK = 512  # columns read before it is asked which rows differ by now


def first_alike(
    t: Tensor, numbers: Callable[[Tensor], Tensor], same: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """(n, d) -> (n,) int64: the index of the first row that is the same.

    numbers: (p, b) -> (p, b) int64, a new tensor, of the same values the same numbers.
    same: (p, d), (p, d) -> (p,) bool, an equivalence; rows of other numbers are not the same.
    """
    n, d = t.shape
    factors = _factors(d).to(t.device)
    first = torch.arange(n, device=t.device)
    open_rows, hashes = first.clone(), torch.zeros_like(first)
    for columns in (slice(at, at + BLOCK) for at in range(0, d, BLOCK)):
        for part in open_rows.split(max(1, CELLS // min(d, BLOCK))):
            hashes[part] += _hash(numbers(t[part, columns]), factors[columns])
        open_rows = open_rows[_shared(hashes[open_rows])]
    while len(open_rows):
        first[open_rows] = open_rows[_first_of(hashes[open_rows])]
        parts = open_rows[first[open_rows] != open_rows].split(max(1, CELLS // max(1, d)))
        # Shared by chance: those rows are alike among themselves, or are not.
        open_rows = torch.cat([part[~same(t[part], t[first[part]])] for part in parts])
    return first


def rows_alike(t: Tensor) -> Tensor:
    """(n, d) floats -> (n,) int64: the index of the first row that is equal, bit for bit."""

    def same(one: Tensor, other: Tensor) -> Tensor:
        whole = WHOLE[one.element_size()]
        return (one.view(whole) == other.view(whole)).all(1)

    return first_alike(t, _bits, same)


def row_hashes(t: Tensor) -> Tensor:
    """(n, d) floats -> (n,) int64 that depend on the row alone, as if drawn at random for it."""
    factors = _factors(t.shape[1]).to(t.device)
    rows = max(1, CELLS // max(1, t.shape[1]))
    return torch.cat([_hash(_bits(part), factors) for part in t.split(rows)])


def _factors(columns: int) -> Tensor:
    drawn = torch.Generator().manual_seed(0)
    return torch.randint(-(2**63), 2**63 - 1, (columns,), generator=drawn)


def _bits(values: Tensor) -> Tensor:
    return values.view(WHOLE[values.element_size()]).to(torch.int64, copy=True)


def _hash(numbers: Tensor, factors: Tensor) -> Tensor:
    """(p, b) -> (p,) of 64 bits. ``numbers`` is overwritten."""
    return numbers.mul_(factors).sum(1)


def _shared(hashes: Tensor) -> Tensor:
    """(n,) -> (n,) whether another is the same."""
    _, inverse, counts = hashes.unique(return_inverse=True, return_counts=True)
    return counts[inverse] > 1


def _first_of(hashes: Tensor) -> Tensor:
    """(n,) -> for each, the index of the first that equals it."""
    distinct, inverse = hashes.unique(return_inverse=True)
    at = torch.arange(len(hashes), device=hashes.device)
    return at.new_full((len(distinct),), len(at)).scatter_reduce_(0, inverse, at, "amin")[inverse]
