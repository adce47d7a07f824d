"""Colour at half the resolution in both directions (4:2:0), and back, in whole numbers.

Down, libjpeg's jcsample.c: the mean of 2 x 2 samples; quarters are rounded by adding 1/4 in even
columns and 2/4 in odd ones. Up, jdsample.c's "fancy" way: 3/4 of the nearest sample and 1/4 of the
next, in both directions; sixteenths are rounded by adding 8/16 in even columns and 7/16 in odd
ones. Where there are two columns or fewer, libjpeg repeats samples instead.
"""

import torch
from torch import Tensor


def downsample(x: Tensor) -> Tensor:
    """(c, h, w, n) int16, h and w even, to (c, h / 2, w / 2, n)."""
    rows = x[:, 0::2] + x[:, 1::2]
    sums = rows[:, :, 0::2] + rows[:, :, 1::2]
    return _shifted(sums, (1, 2), 2)


def upsample(x: Tensor) -> Tensor:
    """(c, h, w, n) int16, to (c, 2h, 2w, n)."""
    if x.shape[2] <= 2:
        return x.repeat_interleave(2, 1).repeat_interleave(2, 2)
    return _shifted(_interpolated(_interpolated(x, 1), 2), (8, 7), 4)


def _shifted(sums: Tensor, biases: tuple[int, int], bits: int) -> Tensor:
    """In place: sums / 2^bits, rounded down after a bias for even and one for odd columns."""
    for first, bias in enumerate(biases):
        sums[:, :, first::2].add_(bias)
    return sums.bitwise_right_shift_(bits)


def _interpolated(x: Tensor, dim: int) -> Tensor:
    """4 times what lies a quarter of the way from each sample to either neighbour along ``dim``."""
    inner = x.shape[dim] - 1
    without_last, without_first = x.narrow(dim, 0, inner), x.narrow(dim, 1, inner)
    pairs = x.new_empty(*x.shape[: dim + 1], 2, *x.shape[dim + 1 :])
    before, after = pairs.unbind(dim + 1)
    torch.add(without_last, without_first, alpha=3, out=before.narrow(dim, 1, inner))
    torch.add(without_first, without_last, alpha=3, out=after.narrow(dim, 0, inner))
    for side, edge in ((before, 0), (after, -1)):  # the edges have one neighbour
        torch.mul(x.select(dim, edge), 4, out=side.select(dim, edge))
    return pairs.flatten(dim, dim + 1)
