"""Snow: flakes, large and smeared by the wind, over an image that is paler than it was.

A corruption of Hendrycks and Dietterich (2019), arXiv 1903.12261. Flakes are Gaussian noise above a
threshold, magnified, smeared at an angle of -135 to -45 degrees, and added twice, the second time
turned by half a circle. Before, the image is mixed with max(x, 1.5 grey(x) + 0.5).
"""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from robustinfo.core.settings import Fraction01, Number, PositiveNumber, Settings
from robustinfo.distortions import _draws
from robustinfo.maths.sampling import smeared
from robustinfo.maths.separable import filtered, magnified

LOWEST, SPAN = -135, 90  # degrees
LUMA = (0.299, 0.587, 0.114)  # of red, green and blue, ITU-R BT.601


class Config(Settings):
    mean: Number  # of the noise
    std: Number  # of the noise
    zoom: Annotated[float, Field(ge=1)]  # by which flakes are magnified
    threshold: Number  # noise below it is no flake
    radius: Annotated[int, Field(ge=1)]  # of the smear, in pixels
    smear_std: PositiveNumber  # of its Gaussian, in pixels
    kept: Fraction01  # of the image as it was; the rest is paler


def distort(x: Tensor, *, config: Config, generator: torch.Generator) -> Tensor:
    """The distorted images, like x, in [0, 1].  x: (n, c, h, w) in [0, 1]; 3 channels: RGB."""
    n, _, h, w = x.shape
    noise = config.mean + config.std * _draws.normal((n, 1, h, w), generator, x)
    noise = filtered(noise, *(magnified(size, config.zoom) for size in (h, w)))
    flakes = torch.where(noise < config.threshold, 0, noise).clamp(0, 1)
    angles = LOWEST + SPAN * _draws.uniform((n,), generator, x)
    flakes = smeared(flakes, angles, radius=config.radius, std=config.smear_std)
    paler = torch.maximum(x, 1.5 * _grey(x) + 0.5)
    mixed = config.kept * x + (1 - config.kept) * paler
    return (mixed + flakes + flakes.rot90(2, (2, 3))).clamp(0, 1)


def _grey(x: Tensor) -> Tensor:
    """(n, c, h, w) -> (n, 1, h, w): the luma of colours, the mean of other channels."""
    if x.shape[1] != len(LUMA):
        return x.mean(1, keepdim=True)
    return (x * x.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)
