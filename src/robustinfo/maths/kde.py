"""Kernel-density bounds on the information of a representation with Gaussian noise.

Kolchinsky and Tracey (2017), arXiv 1706.02419, eq. 10 and 13, as arXiv 1706.00476 uses them:
T' = T + N(0, s^2 I), H(T') - H(T' | X) is bounded by pairwise distances of the N samples,
    upper:  log2 N - 1/N sum_i log2 sum_j exp(-|t_i - t_j|^2 / (2 s^2)),
    lower:  the same with 8 s^2 (Bhattacharyya distances: 4 * 2 s^2).
Both lie in [0, log2 N]; at log2 N they say only that the samples are far apart.
"""

import math

import torch
from torch import Tensor

PANEL = 1024  # rows of the pairwise matrix held at once: 1024 x n doubles


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """|a_i - b_j|^2 in float64, (n, d) and (m, d) -> (n, m).

    The Gram trick loses every digit for close points in float32, so it runs in float64.
    """
    a, b = a.double(), b.double()
    gram = a @ b.T
    return ((a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * gram).clamp(min=0)


def kernel_entropies_bits(t: Tensor, y: Tensor, scale: float) -> tuple[float, float]:
    """(H(T), sum_c p_c H(T | c)) with the kernel exp(-|t_i - t_j|^2 / scale), in bits.

    t: (n, d).  y: (n,) labels.  scale: 2 s^2 for the upper bound, 8 s^2 for the lower one.
    H(T) is the information that T has on its input: its noise term is already taken off.
    """
    n = len(t)
    t = t.double() - t.double().mean(0)  # near the origin the Gram trick keeps its digits
    log_all, log_same = [], []
    for rows, labels in zip(t.split(PANEL), y.split(PANEL), strict=True):
        exponents = squared_distances(rows, t) / -scale  # (panel, n)
        log_all.append(exponents.logsumexp(1))
        other = labels[:, None] != y
        log_same.append(exponents.masked_fill(other, -math.inf).logsumexp(1))
    whole = math.log2(n) - torch.cat(log_all).mean().item() / math.log(2)
    class_sizes = torch.bincount(y)[y].double()  # (n,), so that a mean weighs classes by p_c
    within = (class_sizes.log2() - torch.cat(log_same) / math.log(2)).mean().item()
    return whole, within
