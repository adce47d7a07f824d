"""Kernel-density bounds on the information of a representation with Gaussian noise.

Kolchinsky and Tracey (2017), arXiv 1706.02419, eq. 10 and 13, as arXiv 1706.00476 uses them:
T' = T + N(0, s^2 I), H(T') - H(T' | X) is bounded by pairwise distances of the N samples,
    upper:  log2 N - 1/N sum_i log2 sum_j exp(-|t_i - t_j|^2 / (2 s^2)),
    lower:  the same with 8 s^2 (Bhattacharyya distances: 4 * 2 s^2).
Both lie in [0, log2 N]; at log2 N they say only that the samples are far apart.

Every distance is used once: for both bounds (the upper kernel is the fourth power of the lower
one), for both samples, for the whole set and the class; samples that are equal are one that counts
as often. A sum starts from the sample's own term, 1: no logarithm underflows, and what is too far
to matter can be left out. Values are within 1e-6 bit of the formula's.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from robustinfo.maths.alike import rows_alike
from robustinfo.maths.near_pairs import BLOCK, near_pairs

RESOLUTION = 1e-7  # natural-log units: of an exponent, and of what is left out of a sum


def kernel_entropies_bits(
    t: Tensor, y: Tensor, noise_variance: float
) -> dict[str, tuple[float, float]]:
    """(H(T), sum_c p_c H(T | c)) in bits by the upper and by the lower bound's kernel.

    t: (n, d), finite.  y: (n,) labels.  noise_variance: s^2; at 0, samples are alike or are not.
    H(T) is the information that T has on its input: its noise term is already taken off.
    """
    n, s2 = len(t), max(noise_variance, torch.finfo(torch.float64).tiny)
    _, y, sizes = y.unique(return_inverse=True, return_counts=True)
    first = rows_alike(t)
    classes = F.one_hot(y).double()  # (n, K)
    classes = torch.zeros_like(classes).index_add_(0, first, classes)  # of all that equal a first
    distinct = y.argsort()
    distinct = distinct[first[distinct] == distinct]
    sums = {bound: classes.clone() for bound in ("lower", "upper")}  # over each class, of each t_i
    reach = 8 * s2 * math.log(n / RESOLUTION)
    for rows, others, squared in near_pairs(
        t, distinct, reach=reach, resolution=2 * s2 * RESOLUTION
    ):
        kernel = squared.div_(-8 * s2).exp_()
        for bound in sums:
            sums[bound][rows] += kernel @ classes[others]
            sums[bound][others] += kernel.T @ classes[rows]
            kernel.square_().square_()  # exp(-r / 8)^4 = exp(-r / 2)

    def entropies(of: Tensor) -> tuple[float, float]:
        of = of[first]
        whole = math.log2(n) - of.sum(1).log2().mean().item()
        within = sizes[y].double().log2() - of.gather(1, y[:, None])[:, 0].log2()
        return whole, within.mean().item()  # a mean over samples weighs classes by p_c

    return {bound: entropies(of) for bound, of in sums.items()}


def total_variance(t: Tensor) -> float:
    """The neurons' variances over the samples, summed: half the mean squared distance of pairs."""
    parts = (part.double().var(0, correction=0).sum() for part in t.split(BLOCK, dim=1))
    return torch.stack(list(parts)).sum().item()
