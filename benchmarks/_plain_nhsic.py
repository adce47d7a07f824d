"""The regulariser of IB-RAR and its channel mask, written plainly, and as published.

plain: centring by two products with H, torch.inverse, a kernel and an inverse for every layer (or
channel) and for the inputs and labels once. published: the same with one call per pair, in which
the inputs' or labels' kernel and inverse are computed again for every layer (or channel), and the
layer's twice, as in published code.
"""

import torch
from torch import Tensor

ALPHA, BETA, SIGMA = 0.008, 0.08, 5.0


def plain_projection(t: Tensor, labels: bool = False) -> Tensor:
    m = len(t)
    if labels:
        kernel = t @ t.T
    else:
        norms = (t * t).sum(1)
        squared = norms[:, None] + norms[None] - 2 * t @ t.T
        kernel = torch.exp(-squared.abs() / (2 * SIGMA**2 * t.shape[1]))
    eye = torch.eye(m, dtype=t.dtype, device=t.device)
    h = eye - 1 / m
    kernel = h @ kernel @ h
    return kernel @ torch.inverse(kernel + 1e-5 * m * eye)


def plain(x: Tensor, hot: Tensor, layers: list[Tensor]) -> Tensor:
    of_input, of_label = plain_projection(x), plain_projection(hot, labels=True)
    total = x.new_zeros(())
    for t in layers:
        r = plain_projection(t)
        total = total + ALPHA * (r * of_input.T).sum() - BETA * (r * of_label.T).sum()
    return total


def published(x: Tensor, hot: Tensor, layers: list[Tensor]) -> Tensor:
    total = x.new_zeros(())
    for t in layers:
        total = total + ALPHA * (plain_projection(x) * plain_projection(t).T).sum()
        of_label = plain_projection(hot, labels=True)
        total = total - BETA * (of_label * plain_projection(t).T).sum()
    return total


def plain_channels(f: Tensor, hot: Tensor, *, again: bool) -> Tensor:
    """again: the labels' side for every channel, as published; else once."""
    of_label = plain_projection(hot, labels=True)
    found = []
    for c in range(f.shape[1]):
        if again:
            of_label = plain_projection(hot, labels=True)
        found.append((plain_projection(f[:, c].flatten(1)) * of_label.T).sum())
    return torch.stack(found)
