"""TEMPLATE: one hidden layer of ReLU.

Write here what yours is, who published it, where (arXiv id, figure or table), and how many weights
it has on which images.
"""

from collections import OrderedDict
from math import prod

from torch import nn

from robustinfo.core.settings import Names, Settings
from robustinfo.models._network import Network


class Config(Settings):
    probes: Names = ("fc1", "fc2")
    activations: Names = ("act1", "softmax")  # what the next layer reads; not negative


def build(image_shape: tuple[int, int, int], num_classes: int, *, config: Config) -> Network:
    """An untrained classifier, (n, c, h, w) in [0, 1] -> (n, K) logits.  image_shape: (c, h, w)."""
    layers = OrderedDict(
        flatten=nn.Flatten(),
        fc1=nn.Linear(prod(image_shape), 64),  # (n, 64)
        act1=nn.ReLU(),
        fc2=nn.Linear(64, num_classes),  # (n, K)
    )
    return Network(layers, config.probes, config.activations)
