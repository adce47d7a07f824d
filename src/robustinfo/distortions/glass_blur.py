"""Glass blur: as through frosted glass, pixels come from places nearby, between two blurs.

A corruption of Hendrycks and Dietterich (2019), arXiv 1903.12261: from the last pixel to the first,
x[h, w] becomes x[h + dy, w + dx] with dy, dx from -reach to reach - 1, changed or not as that one
is by then. (The published code says swap; on colour images numpy copies, and so are the published
images.) Not rounded to 8 bits in between, as there.
"""

from typing import Annotated

import torch
from pydantic import Field
from torch import Generator, Tensor

from robustinfo.core.settings import Number, Settings
from robustinfo.distortions.gaussian_blur import blurred


class Config(Settings):
    std: Number  # of both blurs, in pixels
    reach: Annotated[int, Field(ge=1)]  # how far a pixel may come from, in each direction
    iterations: Annotated[int, Field(ge=1)]  # how often all pixels move


def distort(x: Tensor, *, config: Config, generator: Generator) -> Tensor:
    """The distorted images, like x, in [0, 1].  x: (n, c, h, w) in [0, 1]."""
    (n, c, h, w), x = x.shape, blurred(x, config.std)
    for _ in range(config.iterations):
        source = _sources(n, h, w, config.reach, generator).to(x.device)
        x = x.flatten(2).gather(2, source[:, None].expand(-1, c, -1)).view(n, c, h, w)
    return blurred(x, config.std)


def _sources(n: int, h: int, w: int, reach: int, generator: Generator) -> Tensor:
    """Where each pixel comes from after all copies, (n, h w): indices of the pixels before."""
    dy, dx = torch.randint(
        -reach, reach, (2, n, h, w), generator=generator, device=generator.device
    )
    place = torch.arange(h * w, device=generator.device).view(h, w)
    moves = torch.zeros(h, w, dtype=torch.bool, device=generator.device)
    moves[reach + 1 : h - reach + 1, reach + 1 : w - reach + 1] = True
    source = torch.where(moves, place + dy * w + dx, place).flatten(1)  # (n, h w)
    # What lies behind, and moves, was copied to before: follow it to where that came from. All
    # others are ends. Twice the steps are followed at a time.
    ends = torch.arange(h * w, 2 * h * w, device=generator.device).expand(n, -1)
    follows = (source > place.flatten()) & moves.flatten()[source]
    chain = torch.cat([torch.where(follows, source, source + h * w), ends], 1)
    while not (further := chain.gather(1, chain)).equal(chain):
        chain = further
    return chain[:, : h * w] - h * w
