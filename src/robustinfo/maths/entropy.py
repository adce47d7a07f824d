"""Entropy in bits of a discrete distribution known by the counts of its symbols.

Plug-in (maximum likelihood):  H = -sum_i p_i log2 p_i,  p_i = count_i / n. Too low where n is not
much greater than the number of symbols.

JVHW (Jiao, Venkat, Han and Weissman 2015, arXiv 1406.6956): each observed symbol contributes
    large p:  -p ln p + 1 / (2n)                                     (Miller-Madow's correction)
    small p:  the unbiased estimate of the best polynomial approximation of -q ln q on [0, T]
mixed linearly as p goes from T/2 to T, clipped at 0. T = 4 c ln n / n, where c grows with
ln(n / f1), f1 the number of symbols seen once; c's formula and the degree's are the authors' fit.
"""

from functools import cache
from math import ceil, log, nan

import numpy as np
import torch
from numpy.polynomial import Chebyshev, Polynomial
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from robustinfo.maths import minimax

MAX_DEGREE = 22


def run_counts(symbols: Tensor) -> Tensor:
    """The counts of the distinct symbols of each row, whatever the alphabet.

    symbols: (n, m) integers. Returns (n, k) int64, k the most distinct symbols of any row; counts
    come in ascending order of the symbol, then zeros, which contribute nothing to an entropy.
    """
    ordered = symbols.sort(dim=1).values
    starts = torch.zeros_like(ordered, dtype=torch.int64)
    starts[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    runs = starts.cumsum(dim=1)  # (n, m), the number of the run that each place belongs to
    counts = torch.zeros_like(runs).scatter_add_(1, runs, torch.ones_like(runs))
    return counts[:, counts.any(dim=0)]


def plug_in_bits(counts: Tensor) -> Tensor:
    """Entropy of p = counts / sum in bits. counts: (..., K) non-negative. Returns (...) float64.

    0 where all counts are 0. Raises ValueError if a count is negative.
    """
    _refuse_negative(counts)
    total = counts.sum(dim=-1, keepdim=True, dtype=torch.float64)
    p = counts / total.where(total > 0, 1)
    return torch.special.entr(p).sum(dim=-1) / log(2)


def jvhw_bits(counts: Tensor) -> Tensor:
    """JVHW estimate in bits. counts: (n_items, K) integers >= 0. Returns (n_items,) float64.

    Corrected plug-in throughout for an item without singletons or with fewer samples than the
    polynomial's degree; 0 where all counts are 0. Raises ValueError if a count is negative.
    """
    _refuse_negative(counts)
    if len(counts) == 0:
        return torch.zeros(0, dtype=torch.float64, device=counts.device)
    counts = counts.long()
    n = counts.sum(dim=1, keepdim=True)
    singletons = (counts == 1).sum(dim=1, keepdim=True)
    samples = n.clamp(min=1).double()
    corrected = torch.special.entr(counts / samples) + 1 / (2 * samples)  # (n_items, K)
    # Items that share n and f1 share T, so one short table of contributions serves them all.
    pairs, of_item = torch.cat([n, singletons], dim=1).unique(dim=0, return_inverse=True)
    tables = [torch.from_numpy(_small_contributions(*pair)) for pair in pairs.tolist()]
    past_the_end = torch.tensor([nan], dtype=torch.float64)
    tables = [torch.cat([table, past_the_end]) for table in tables]
    table = pad_sequence(tables, batch_first=True, padding_value=nan).to(counts.device)
    small = table[of_item[:, None], counts.clamp(max=table.shape[1] - 1)]  # (n_items, K)
    nats = corrected.where(small.isnan(), small)
    return nats.where(counts > 0, 0).clamp(min=0).sum(dim=1) / log(2)


def _refuse_negative(counts: Tensor) -> None:
    if (counts < 0).any():
        raise ValueError(f"counts must not be negative; the least is {counts.min().item()}")


@cache
def _small_contributions(n: int, singletons: int) -> np.ndarray:
    """Nats that a symbol seen 0, 1, 2, ... times contributes, for every p = count / n below T.

    Empty where the corrected plug-in is right for all.
    """
    degree = min(4 + ceil(1.2 * log(n)), MAX_DEGREE) if n else 0
    if singletons == 0 or n < degree:
        return np.zeros(0)
    samples_at_t = 4 * _threshold_factor(n, singletons) * log(n)  # n T
    count = np.arange(min(ceil(samples_at_t), n + 1))
    p = count / n
    polynomial = _unbiased(count, n, samples_at_t / n, degree)
    corrected = -p * np.log(np.where(count > 0, p, 1)) + 1 / (2 * n)
    blend = np.clip(2 * count / samples_at_t - 1, 0, 1)
    return blend * corrected + (1 - blend) * polynomial


def _threshold_factor(n: int, singletons: int) -> float:
    """c of T = 4 c ln n / n."""
    rarity = log(n / singletons)
    if n >= 200 and rarity <= 1.5:
        return -0.5306 * rarity**2 + 1.0979 * rarity + 0.1848
    return max(0.3303 * rarity + 0.4679, 1 / (1.9 * log(n)))


def _unbiased(count: np.ndarray, n: int, threshold: float, degree: int) -> np.ndarray:
    """Unbiased estimates of the polynomial nearest to -p ln p on [0, T], in nats, one per count.

    With p = T u,  -p ln p = T (-u ln u) - p ln T.  Of p^k, the unbiased estimate from x of n is
    x (x-1) ... (x-k+1) / (n (n-1) ... (n-k+1)),  summed here in Horner's order: the terms cancel
    by up to 1e8 at degree 22, so that 7 digits are left there and 11 at an image's 12 to 14.
    """
    coefficients, _ = minimax.neg_xlogx(degree)
    powers = Chebyshev(coefficients, domain=[0, 1]).convert(kind=Polynomial).coef
    value = np.full(len(count), powers[degree])
    for k in reversed(range(degree)):
        value = powers[k] + value * (count - k) / ((n - k) * threshold)
    return threshold * value - count / n * log(threshold)
