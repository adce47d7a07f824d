"""White Gaussian noise at a signal-to-noise ratio.

SNR = 10 log10( signal power / noise variance ) in dB. The signal power is each image's own mean
square, mean(x^2) over channels and pixels, so a dark image gets weaker noise than a bright one.
The result is clamped to [0, 1]: at low ratios the noise that is left is weaker than the ratio says.
"""

import torch
from torch import Tensor

from robustinfo.core.settings import Settings


class Config(Settings):
    snr_db: float  # signal-to-noise ratio in decibels


def distort(x: Tensor, *, config: Config, generator: torch.Generator) -> Tensor:
    """The distorted images, like x, in [0, 1].  x: (n, c, h, w) in [0, 1]."""
    noise = torch.randn(x.shape, generator=generator, device=generator.device, dtype=x.dtype)
    power = x.square().mean(dim=(1, 2, 3), keepdim=True)
    deviation = (power / 10 ** (config.snr_db / 10)).sqrt()  # (n, 1, 1, 1)
    return (x + deviation * noise.to(x.device)).clamp(0, 1)
