"""TEMPLATE: the fraction of images that noise misleads.

Write here what yours asks, who published it, where (arXiv id, section), what it shows and what it
does not.
"""

import torch
from torch import Generator, Tensor, nn

from robustinfo.core.batches import correct
from robustinfo.core.measurement import Measurement, fraction
from robustinfo.core.settings import Outline, Pixels, Settings


class Config(Settings):
    size: Pixels = 8 / 255  # standard deviation of the noise


def outline(config: Config) -> Outline:
    """The names of its rows.

    TEMPLATE  images correct when clean and not in noise
    """
    return [{"quantity": ("TEMPLATE",)}]


def diagnose(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> list[Measurement]:
    """x: (n, c, h, w) in [0, 1].  y: (n,) labels.  A fraction of the n images."""
    noise = torch.randn(x.shape, generator=generator, device=generator.device).to(x)
    noisy = (x + config.size * noise).clamp(0, 1)
    misled = correct(model, x, y) & ~correct(model, noisy, y)
    return [fraction("TEMPLATE", misled)]
