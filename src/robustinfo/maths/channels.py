"""Channels whose mutual information is known, in bits: closed forms, and sums to 1e-10.

Cover and Thomas, Elements of Information Theory (2006): the Gaussian channel (chapter 9), the
symmetric channel (chapter 7), quantised variables (chapter 8). A label channel is one of clusters
on a line: their ``centres`` (m,), each normal with the same ``variance``, and ``joint`` (K, m), the
probability of a label and a cluster.
"""

import math

import torch
from torch import Tensor

REACH, STEP = 12.0, 0.05  # of an integral, in standard deviations: beyond the centres, and its sum


def gaussian_bits(signal: Tensor, noise_variance: float) -> float:
    """I(X; AX + N(0, s^2 I)) = log2 det(I + S / s^2) / 2.  signal: S = A Cov(X) A^T, (d, d)."""
    whole = torch.eye(len(signal), dtype=torch.float64) + signal.double() / noise_variance
    return torch.linalg.slogdet(whole).logabsdet.item() / (2 * math.log(2))


def gaussian_kl_bits(signal: Tensor, noise_variance: float, prior_variance: float = 1.0) -> float:
    """E KL(N(AX, s^2 I) || N(0, r^2 I)), the term of a variational bottleneck; X is centred.

    It is I(X;T) + KL(p(t) || prior): above the information unless the prior is T's distribution.
    """
    d, ratio = len(signal), noise_variance / prior_variance
    nats = (signal.double().trace().item() / prior_variance + d * (ratio - 1 - math.log(ratio))) / 2
    return nats / math.log(2)


def symmetric_joint(classes: int, error: float) -> Tensor:
    """(K, K): equal classes, each taken for another one by chance with probability ``error``."""
    others = torch.full((classes, classes), error / (classes - 1), dtype=torch.float64)
    return others.fill_diagonal_(1 - error) / classes


def joint_bits(joint: Tensor) -> float:
    """I(Y;Z) of a joint distribution (K, m), which sums to 1."""
    parts = (joint.sum(1), joint.sum(0), joint)
    of_y, of_z, together = (torch.special.entr(p).sum().item() for p in parts)
    return (of_y + of_z - together) / math.log(2)


def clusters_bits(centres: Tensor, joint: Tensor, variance: float) -> float:
    """I(T;Y), T in the clusters of a label channel."""
    sigma = math.sqrt(variance)
    low, high = (centres.min() - REACH * sigma).item(), (centres.max() + REACH * sigma).item()
    places = torch.linspace(
        low, high, math.ceil((high - low) / (STEP * sigma)), dtype=torch.float64
    )
    density = torch.exp(-(places - centres.double()[:, None]).square() / (2 * variance))
    return joint_bits(joint @ (density / density.sum(1, keepdim=True)))


def binned_clusters_bits(centres: Tensor, joint: Tensor, variance: float, width: float) -> float:
    """I(floor(T / width); Y), T in the clusters of a label channel."""
    low, high = centres.min().item(), centres.max().item()
    cells = [cell_probabilities(c, variance, width, (low, high)) for c in centres.tolist()]
    return joint_bits(joint @ torch.stack(cells))


def binned_gaussian_bits(variance: float, width: float) -> float:
    """H(floor(T / width)), T ~ N(0, variance): what the bins of a layer without noise hold of X."""
    cells = cell_probabilities(0.0, variance, width)
    return torch.special.entr(cells).sum().item() / math.log(2)


def cell_probabilities(
    centre: float, variance: float, width: float, around: tuple[float, float] = (0.0, 0.0)
) -> Tensor:
    """Of N(centre, variance) in the cells floor(t / width), those around others' centres, too."""
    sigma = math.sqrt(variance)
    first = math.floor((min(centre, around[0]) - REACH * sigma) / width)
    last = math.ceil((max(centre, around[1]) + REACH * sigma) / width)
    edges = (torch.arange(first, last + 1, dtype=torch.float64) * width - centre) / sigma
    below, above = torch.special.ndtr(edges), torch.special.ndtr(-edges)
    # Differences of the smaller tails keep their digits.
    return torch.where(edges[1:] > 0, above[:-1] - above[1:], below[1:] - below[:-1])
