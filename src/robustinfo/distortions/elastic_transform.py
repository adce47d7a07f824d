"""Elastic transform: a random affine map, then a smooth random displacement of every pixel.

A corruption of Hendrycks and Dietterich (2019), arXiv 1903.12261, after Simard, Steinkraus and
Platt (2003). Three points around the middle move by up to ``affine`` pixels each way, which gives
the map; the displacement is uniform noise times ``displacement`` under a Gaussian of ``std``
pixels, cut off at three of them. Linear between pixels; the map mirrors the image at its border.
"""

import torch
from torch import Generator, Tensor

from robustinfo.core.settings import Number, Settings
from robustinfo.distortions import _draws
from robustinfo.maths.sampling import between_pixels
from robustinfo.maths.separable import filtered, gaussian

TRUNCATE = 3.0  # standard deviations
CORNERS = ((1, 1), (1, -1), (-1, -1))  # of a square around the middle, x and y


class Config(Settings):
    displacement: Number  # in pixels, of noise that is not smoothed
    std: Number  # of the Gaussian, in pixels
    affine: Number  # in pixels


def distort(x: Tensor, *, config: Config, generator: Generator) -> Tensor:
    """The distorted images, like x, in [0, 1].  x: (n, c, h, w) in [0, 1]."""
    n, _, h, w = x.shape
    columns, rows = _before_the_map(n, h, w, config.affine, generator, x)
    mapped = between_pixels(x, rows.to(x), columns.to(x), "mirror")
    noise = 2 * _draws.uniform((n, 2, h, w), generator, x) - 1
    smooth = (gaussian(size, config.std, truncate=TRUNCATE, border="symmetric") for size in (h, w))
    right, down = (config.displacement * filtered(noise, *smooth)).unbind(1)  # (n, h, w)
    down = down + torch.arange(h, device=x.device)[:, None]
    right = right + torch.arange(w, device=x.device)
    return between_pixels(mapped, down, right, "symmetric").clamp(0, 1)


def _before_the_map(
    n: int, h: int, w: int, reach: float, generator: Generator, like: Tensor
) -> Tensor:
    """Where the map takes each pixel from: its column and its row, (2, n, h, w) float64."""
    like = like.double()
    middle = like.new_tensor([w // 2, h // 2])
    before = middle + (min(h, w) // 3) * like.new_tensor(CORNERS)  # (3, 2)
    after = before + reach * (2 * _draws.uniform((n, 3, 2), generator, like) - 1)
    # The affine map [A | b] of the three points after to those before: one A and b per image.
    with_one = torch.cat([after, torch.ones_like(after[..., :1])], -1)  # (n, 3, 3)
    solution = torch.linalg.lstsq(with_one, before.expand(n, 3, 2)).solution  # (n, 3, 2)
    y, x = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    grid = torch.stack([x, y, torch.ones_like(x)], -1).to(like)  # (h, w, 3)
    return torch.einsum("hwk,nkd->dnhw", grid, solution)
