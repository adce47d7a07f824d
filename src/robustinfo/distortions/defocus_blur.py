"""Defocus blur: every pixel becomes a disk, as of a lens out of focus.

A corruption of Hendrycks and Dietterich (2019), arXiv 1903.12261. The disk's edge is smoothed by a
small Gaussian; beyond the border the image is mirrored. The published code mirrors the disk, too,
where one of radius 8 or more touches the edge of the kernel, so that its severities 4 and 5 at
ImageNet's size are 1 % brighter; here the kernel is a pixel or two wider, and its sum is 1.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from robustinfo.core.settings import Number, PositiveNumber, Settings
from robustinfo.maths.borders import inside
from robustinfo.maths.separable import filtered, gaussian

LARGE = 8  # pixels; the edge of a larger disk is smoothed over 5 x 5 pixels, that of others 3 x 3


class Config(Settings):
    radius: Number  # of the disk, in pixels
    edge_std: PositiveNumber  # of the Gaussian that smooths its edge, in pixels


def distort(x: Tensor, *, config: Config, generator: torch.Generator) -> Tensor:
    """The distorted images, like x; deterministic.  x: (n, c, h, w) in [0, 1]."""
    kernel = disk(config.radius, config.edge_std).to(x)
    reach = len(kernel) // 2
    places = (inside(torch.arange(-reach, size + reach), size, "mirror") for size in x.shape[2:])
    rows, columns = (place.to(x.device) for place in places)
    wider = x[:, :, rows][:, :, :, columns].flatten(0, 1)[:, None]  # (n c, 1, h + 2 reach, ...)
    return F.conv2d(wider, kernel[None, None]).view(x.shape).clamp(0, 1)


def disk(radius: float, edge_std: float) -> Tensor:
    """The disk's kernel, square and odd, whose sum is 1, float64."""
    taps = 1 if radius <= LARGE else 2  # of the Gaussian, on each side
    reach = int(radius) + taps
    offsets = torch.arange(-reach, reach + 1, dtype=torch.float64)
    inner = (offsets.square()[:, None] + offsets.square() <= radius**2).double()
    smoothing = gaussian(len(offsets), edge_std, truncate=taps / edge_std, border="edge")
    return filtered(inner / inner.sum(), smoothing, smoothing)
