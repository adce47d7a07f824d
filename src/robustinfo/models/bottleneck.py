"""Any network here with a Gaussian bottleneck in place of its last layer.

Alemi et al. (2017), arXiv 1612.00410, section 4: an encoder gives ``size`` means m and deviations
s = softplus(. - 5) of independent Gaussians, and a linear decoder reads a draw z = m + s e from
them. The network, but for its last layer, and one linear layer, ``code``, are the encoder.

In training every image gets one new draw of e. At test time the authors average the probabilities
of 12 draws (and also print the accuracy of one). So it is here, with the same 12 for all images and
all times: drawn with the weights and kept beside them. Every average is as good as with new ones,
and the network is a function, so that an attack's gradient is that of what is judged, and nobody
takes noise in it for robustness. One pass through the mean, which others use, would be a network
that was never trained: the loss is an average over draws.

What comes out are logarithms of probabilities. They are logits as others are.
"""

import math
from collections import OrderedDict

import torch
from pydantic import PositiveInt
from torch import Tensor, nn
from torch.nn import functional as F

from robustinfo.core import registry
from robustinfo.core.errors import UserError
from robustinfo.core.settings import Entry, Names, Settings
from robustinfo.models._network import Network

CODE = "code"


class Config(Settings):
    network: Entry  # of models/; ends in a linear layer
    size: PositiveInt = 256  # features of the code
    samples: PositiveInt = 12  # averaged at test time
    probes: Names | None = None  # None: the network's, the code for its last layer
    activations: Names | None = None  # None: the network's


class Sample(nn.Module):
    """Draws from the code, (n, 2 size) -> (n, 1, size) in training, (n, samples, size) in eval."""

    noise: Tensor  # (samples, size)

    def __init__(self, samples: int, size: int) -> None:  # noqa: D107
        super().__init__()
        self.register_buffer("noise", torch.randn(samples, size))

    def forward(self, code: Tensor) -> Tensor:  # noqa: D102
        mean, deviation = (t[:, None] for t in gaussian(code))
        noise = torch.randn_like(mean) if self.training else self.noise
        return mean + deviation * noise


class Mixture(nn.Module):
    """Logits of several draws, (n, samples, K) -> the log of their mean probabilities, (n, K)."""

    def forward(self, logits: Tensor) -> Tensor:  # noqa: D102
        return logits.log_softmax(2).logsumexp(1) - math.log(logits.shape[1])


def gaussian(code: Tensor) -> tuple[Tensor, Tensor]:
    """Means and deviations, both (n, size), from the outputs of the layer ``code``, (n, 2 size)."""
    mean, raw = code.float().chunk(2, dim=1)
    # Where softplus underflows, the logarithm that the defence takes would be infinite.
    return mean, F.softplus(raw - 5).clamp(min=torch.finfo(raw.dtype).tiny)


def build(image_shape: tuple[int, int, int], num_classes: int, *, config: Config) -> Network:
    """An untrained classifier, (n, c, h, w) in [0, 1] -> (n, K) logits.

    image_shape: (c, h, w). Raises ValueError if the network does, or does not end in nn.Linear.
    """
    network = registry.get("models", config.network)(image_shape, num_classes)
    layers = OrderedDict(network.named_children())
    head, last = layers.popitem()
    if not isinstance(last, nn.Linear):
        raise UserError(
            f"the last layer of {config.network['method']}, {head!r}, is {type(last).__name__}, "
            f"and a bottleneck takes the place of Linear; choose another `network`"
        )
    layers[CODE] = nn.Linear(last.in_features, 2 * config.size)  # (n, 2 size)
    layers["sample"] = Sample(config.samples, config.size)  # (n, samples, size)
    layers["decode"] = nn.Linear(config.size, num_classes)  # (n, samples, K)
    layers["mixture"] = Mixture()  # (n, K)
    probes = [CODE if point == head else point for point in network.probes]
    activations = [point for point in network.activations if point != head]
    return Network(layers, config.probes or probes, config.activations or activations)
