"""Filters that treat rows and columns alike, as two matrices: A x B^T for every channel.

Each row of a matrix is what one pixel of the result takes of the pixels of its line; it sums to 1,
so an image of one colour stays as it is. All are (of the result, of the image), float64.
"""

import math

import torch
from torch import Tensor

from robustinfo.maths.borders import Border, inside


def filtered(x: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """A x B^T with rows A (h', h) and columns B (w', w).  x: (n, c, h, w) -> (n, c, h', w')."""
    return rows.to(x) @ x @ columns.to(x).T


def gaussian(size: int, std: float, *, truncate: float, border: Border) -> Tensor:
    """Smoothing by a Gaussian of ``std`` pixels, cut off at ``truncate`` of them: (size, size)."""
    if std == 0:
        return torch.eye(size, dtype=torch.float64)
    radius = int(truncate * std + 0.5)
    offsets = torch.arange(-radius, radius + 1)
    weights = (-0.5 * (offsets.double() / std).square()).exp()
    source = inside(torch.arange(size)[:, None] + offsets, size, border)  # (size, taps)
    taken = torch.zeros(size, size, dtype=torch.float64)
    return taken.scatter_add_(1, source, (weights / weights.sum()).expand(size, -1))


def magnified(size: int, factor: float) -> Tensor:
    """The middle of a line, magnified by a factor of at least 1 to its old size: (size, size).

    Linear between pixels; the first and the last of the crop stay where they are.
    """
    crop = math.ceil(size / factor)
    whole = round(crop * factor)
    trim = (whole - size) // 2
    at = torch.arange(size, dtype=torch.float64) + trim
    at = at * (crop - 1) / max(1, whole - 1)  # (size,) in pixels of the crop
    low = at.long().clamp(max=crop - 1)
    share, first, result = at - low, (size - crop) // 2, torch.arange(size)
    taken = torch.zeros(size, size, dtype=torch.float64)
    taken[result, first + low] += 1 - share
    taken[result, first + (low + 1).clamp(max=crop - 1)] += share
    return taken


def boxes(size: int, count: int) -> Tensor:
    """The mean of the pixels whose centre lies in each of ``count`` equal boxes: (count, size).

    With more boxes than pixels, the pixel that the centre of the box lies in. It is Pillow's BOX.
    """
    width = size / count
    pixels = torch.arange(size, dtype=torch.float64) + 0.5
    centres = (torch.arange(count, dtype=torch.float64) + 0.5) * width
    apart = (pixels - centres[:, None]) / max(width, 1.0)
    taken = ((apart > -0.5) & (apart <= 0.5)).double()
    return taken / taken.sum(1, keepdim=True)
