"""Any network here, smoothed: the mean of its probabilities over noisy copies of an image.

Cohen et al. (2019), arXiv 1902.02918, smooth a classifier by the majority of its answers to
x + N(0, sigma^2). A majority has no gradient, so what is attacked is the mean of the probabilities
(Salman et al. 2019, arXiv 1906.04584, eq. 3), whose most likely class is nearly always that of the
majority. What comes out is its logarithm.

The noise of ``samples`` copies is drawn with the weights and kept, the same for all images and all
times: so the network is a function, and nobody takes its noise for robustness. It stands for the
smoothed classifier as far as so few copies can; its certificate is counted with draws of its own
(diagnostics/smoothing_certificate.py) and is of the smoothed classifier itself, so that an attack
on these copies may break an image within its radius. In training the network alone is passed:
defences/gaussian_noise.py adds noise to its images.
"""

from collections import OrderedDict

import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from robustinfo.core import registry
from robustinfo.core.settings import Entry, Names, PositiveNumber, Settings
from robustinfo.models._network import SOFTMAX, Network
from robustinfo.models.bottleneck import Mixture

COPIES = "copies"


class Config(Settings):
    network: Entry  # of models/
    sigma: PositiveNumber  # standard deviation of the noise, in pixel values of [0, 1]
    samples: PositiveInt = 32  # noisy copies of an image, in eval mode
    probes: Names = (COPIES, SOFTMAX)  # no layers of the network: they have many rows for an image
    activations: Names = (SOFTMAX,)


class Copies(nn.Module):
    """(n, c, h, w) -> logits of noisy copies, (n, samples, K); in training (n, 1, K), of x."""

    noise: Tensor  # (samples, c, h, w)

    def __init__(self, network: Network, noise: Tensor, sigma: float) -> None:  # noqa: D107
        super().__init__()
        self.network, self.sigma = network, sigma
        self.register_buffer("noise", noise)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        if self.training:
            return self.network(x)[:, None]
        noisy = x[:, None] + self.sigma * self.noise.to(x)  # (n, samples, c, h, w)
        return self.network(noisy.flatten(0, 1)).unflatten(0, noisy.shape[:2])


def build(image_shape: tuple[int, int, int], num_classes: int, *, config: Config) -> Network:
    """An untrained classifier, (n, c, h, w) in [0, 1] -> (n, K) log-probabilities.

    image_shape: (c, h, w). Raises ValueError if the network does.
    """
    network = registry.get("models", config.network)(image_shape, num_classes)
    noise = torch.randn(config.samples, *image_shape)
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        {COPIES: Copies(network, noise, config.sigma)}  # (n, samples, K)
    )
    layers["mixture"] = Mixture()  # (n, K)
    return Network(layers, config.probes, config.activations)


def base_of(model: nn.Module) -> nn.Module:
    """The network that is smoothed; the model itself, if it is none of these."""
    copies = dict(model.named_children()).get(COPIES)
    return copies.network if isinstance(copies, Copies) else model
