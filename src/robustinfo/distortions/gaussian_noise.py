"""White Gaussian noise, of a standard deviation or at a signal-to-noise ratio.

x + std g: the corruption of Hendrycks and Dietterich (2019), arXiv 1903.12261.

SNR = 10 log10( signal power / noise variance ) in dB. The signal power is each image's own mean
square, mean(x^2) over channels and pixels, so a dark image gets weaker noise than a bright one.
The result is clamped to [0, 1]: at low ratios the noise that is left is weaker than the ratio says.
"""

from typing import Self

import torch
from pydantic import model_validator
from torch import Tensor

from robustinfo.core.settings import Pixels, Settings
from robustinfo.distortions import _draws


class Config(Settings):
    snr_db: float | None = None  # signal-to-noise ratio in decibels; or
    std: Pixels | None = None  # standard deviation, the same for every image

    @model_validator(mode="after")
    def one_of_both(self) -> Self:
        """The size of the noise is said once."""
        if (self.snr_db is None) == (self.std is None):
            raise ValueError("noise has either `snr_db` or `std`")
        return self


def distort(x: Tensor, *, config: Config, generator: torch.Generator) -> Tensor:
    """The distorted images, like x, in [0, 1].  x: (n, c, h, w) in [0, 1]."""
    noise = _draws.normal(x.shape, generator, x)
    return (x + _deviation(x, config) * noise).clamp(0, 1)


def _deviation(x: Tensor, config: Config) -> Tensor | float:
    """The noise's standard deviation, one for all images or (n, 1, 1, 1)."""
    if config.snr_db is None:
        return config.std or 0.0
    power = x.square().mean(dim=(1, 2, 3), keepdim=True)
    return (power / 10 ** (config.snr_db / 10)).sqrt()
