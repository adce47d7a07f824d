"""Random shifts and flips of training images, each image its own, seeded by the generator."""

from typing import Literal

import torch
from pydantic import NonNegativeInt
from torch import Generator, Tensor
from torch.nn import functional as F

from robustinfo.core.errors import UserError
from robustinfo.core.settings import Settings


class Config(Settings):
    shift: NonNegativeInt = 0  # pixels, up to, in both directions
    fill: Literal["black", "edge"] = "black"  # what comes in; Keras has the nearest pixel
    flip: bool = False  # left to right, with probability one half


def augment(x: Tensor, *, config: Config, generator: Generator) -> Tensor:
    """Augmented images, like x, (n, c, h, w). Raises UserError if x are texts to be changed."""
    if config == Config():
        return x
    if x.ndim != 4:
        raise UserError("texts are neither shifted nor flipped; leave out their `augmentation`")
    n, _, h, w = x.shape
    if config.shift:
        mode = {"black": "constant", "edge": "replicate"}[config.fill]
        padded = F.pad(x, [config.shift] * 4, mode=mode)
        high = 2 * config.shift + 1
        top, left = torch.randint(high, (2, n, 1), generator=generator, device=x.device)
        rows = top + torch.arange(h, device=x.device)  # (n, h)
        columns = left + torch.arange(w, device=x.device)  # (n, w)
        image = torch.arange(n, device=x.device)[:, None, None]
        x = padded[image, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
    if config.flip:
        turned = torch.rand(n, generator=generator, device=x.device) < 0.5
        x = torch.where(turned[:, None, None, None], x.flip(3), x)
    return x
