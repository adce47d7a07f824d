"""Training on images with Gaussian noise: the base classifier of randomised smoothing.

Cohen et al. (2019), arXiv 1902.02918, section 3.3.2: minimise  E[ L(f(x + e), y) ],  e of
N(0, sigma^2) for every pixel, one new draw for each image and step. The noisy images leave [0, 1],
as in the paper. What is certified is the smoothed classifier (diagnostics/smoothing_certificate.py)
at the same sigma; what is attacked, models/smoothed.py.
"""

import torch
from torch import Generator, Tensor, nn

from robustinfo.core import registry
from robustinfo.core.settings import Entry, Outline, PositiveNumber, Settings

READS = "images"


class Config(Settings):
    sigma: PositiveNumber  # standard deviation of the noise, in pixel values of [0, 1]
    loss: Entry  # of losses/


def outline(config: Config) -> Outline:
    """The names of its rows.

    noisy  the loss on the images with noise
    """
    return [{"quantity": ("noisy",)}]


def loss_terms(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> dict[str, Tensor]:
    """The loss terms, scalars in nats.  x: (n, c, h, w) in [0, 1].  y: (n,) labels."""
    noisy = with_noise(x, config.sigma, generator)
    return {"noisy": registry.get("losses", config.loss)(model(noisy), y)}


def with_noise(x: Tensor, sigma: float, generator: Generator) -> Tensor:
    """The images with noise of its standard deviation, like x, (n, c, h, w); not cut to [0, 1]."""
    noise = torch.randn(x.shape, generator=generator, device=generator.device, dtype=x.dtype)
    return x + sigma * noise.to(x.device)
