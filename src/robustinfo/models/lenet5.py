"""LeNet-5 with ReLU, average pooling and no dropout. About 62,000 weights on 28 x 28 grey images.

LeCun et al. (1998), Gradient-based learning applied to document recognition, figure 2, as
arXiv 2008.03072 (table I) uses it: conv 6 @ 5x5 padded by 2, pool, conv 16 @ 5x5, pool,
120-84-K. (The table prints "5 and 16" filters; LeNet-5 has 6 and 16.)
"""

from collections import OrderedDict
from typing import Literal

from torch import nn

from robustinfo.core.errors import UserError
from robustinfo.core.settings import Names, Settings
from robustinfo.models._network import Network


class Config(Settings):
    activation: Literal["relu", "sigmoid"] = "relu"  # of the hidden layers
    probes: Names = ("conv1", "conv2", "fc1", "fc2", "fc3")
    # What the next layer reads: every activation's output, pooled where a pooling follows, and the
    # softmax. studies/entropic-readings.yaml tries the other readings of the paper.
    activations: Names = ("pool1", "pool2", "act3", "act4", "softmax")


def build(image_shape: tuple[int, int, int], num_classes: int, *, config: Config) -> Network:
    """An untrained classifier, (n, c, h, w) in [0, 1] -> (n, K) logits.

    image_shape: (c, h, w). Raises ValueError below 12 x 12 pixels, where nothing is left to pool.
    """
    c, h, w = image_shape
    if min(h, w) < 12:
        raise UserError(f"LeNet-5 needs images of at least 12 x 12 pixels, not {h} x {w}")
    after_conv2 = (h // 2 - 4) // 2 * ((w // 2 - 4) // 2)
    activation = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}[config.activation]
    layers = OrderedDict(
        conv1=nn.Conv2d(c, 6, kernel_size=5, padding=2),  # (n, 6, h, w)
        act1=activation(),
        pool1=nn.AvgPool2d(2),  # (n, 6, h/2, w/2)
        conv2=nn.Conv2d(6, 16, kernel_size=5),  # (n, 16, h/2 - 4, w/2 - 4)
        act2=activation(),
        pool2=nn.AvgPool2d(2),  # (n, 16, (h/2 - 4)/2, (w/2 - 4)/2)
        flatten=nn.Flatten(),
        fc1=nn.Linear(16 * after_conv2, 120),  # (n, 120)
        act3=activation(),
        fc2=nn.Linear(120, 84),  # (n, 84)
        act4=activation(),
        fc3=nn.Linear(84, num_classes),  # (n, K)
    )
    return Network(layers, config.probes, config.activations)
