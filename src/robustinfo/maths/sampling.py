"""Pixels of images at other places: in between, by linear interpolation, and along a line."""

import math

import torch
from torch import Tensor

from robustinfo.maths.borders import Border, inside


def pixels_at(x: Tensor, rows: Tensor, columns: Tensor, border: Border) -> Tensor:
    """The pixels of each image at its own rows and columns, integers of any size.

    x: (n, c, h, w).  rows, columns: (n, h', w').  -> (n, c, h', w')
    """
    n, c, h, w = x.shape
    place = inside(rows, h, border) * w + inside(columns, w, border)
    places = place.flatten(1)[:, None].expand(n, c, -1)
    return x.flatten(2).gather(2, places).view(n, c, *place.shape[1:])


def between_pixels(x: Tensor, rows: Tensor, columns: Tensor, border: Border) -> Tensor:
    """The same at places between pixels, linear in both directions.  rows, columns: (n, h', w')."""
    top, left = rows.floor(), columns.floor()
    down, right = (rows - top)[:, None], (columns - left)[:, None]
    corners = [
        [pixels_at(x, (top + i).long(), (left + j).long(), border) for j in (0, 1)] for i in (0, 1)
    ]
    upper, lower = (torch.lerp(a, b, right.expand_as(a)) for a, b in corners)
    return torch.lerp(upper, lower, down.expand_as(upper))


def smeared(x: Tensor, angles: Tensor, *, radius: int, std: float) -> Tensor:
    """Motion blur towards one side, at each image's own angle: ImageMagick's.

    The weights of 2 radius + 1 pixels along the line, the pixel itself first, are half a Gaussian
    of ``std`` pixels.  x: (n, c, h, w).  angles: (n,) in degrees.
    """
    taps = torch.arange(2 * radius + 1, device=x.device)
    weights = (-0.5 * (taps.to(x.dtype) / std).square()).exp()
    directions = angles.double() * (math.pi / 180)
    down = (taps * directions.sin()[:, None] - 0.5).ceil().long()  # (n, taps)
    right = (taps * directions.cos()[:, None] - 0.5).ceil().long()
    rows = torch.arange(x.shape[2], device=x.device)[:, None]
    columns = torch.arange(x.shape[3], device=x.device)
    total = torch.zeros_like(x)
    for tap, weight in enumerate((weights / weights.sum()).tolist()):
        here = down[:, tap, None, None] + rows + 0 * columns
        there = right[:, tap, None, None] + columns + 0 * rows
        total += weight * pixels_at(x, here, there, "edge")
    return total
