"""All-CNN-C: convolutions only, strided ones instead of pooling, averaged feature maps as logits.

Springenberg et al. (2015), arXiv 1412.6806, table 1, without drop-out. Its last layer has one
feature map per class, which "One Bit Matters" (arXiv 1810.09650, figure 6) compresses.
"""

from collections import OrderedDict
from typing import Annotated

from pydantic import Field, PositiveInt
from torch import nn

from robustinfo.core.errors import UserError
from robustinfo.core.settings import Names, Settings
from robustinfo.models._network import SOFTMAX, Network


class Config(Settings):
    # of the first and the later convolutions
    filters: Annotated[tuple[PositiveInt, PositiveInt], Field(strict=False)] = (96, 192)
    probes: Names | None = None  # None: every convolution
    activations: Names | None = None  # None: every ReLU, and the softmax


def build(image_shape: tuple[int, int, int], num_classes: int, *, config: Config) -> Network:
    """An untrained classifier, (n, c, h, w) in [0, 1] -> (n, K) logits.

    ``maps``, the last feature maps, are (n, K, h/4, w/4). image_shape: (c, h, w). Raises ValueError
    below 4 x 4 pixels.
    """
    channels, h, w = image_shape
    if min(h, w) < 4:
        raise UserError(f"All-CNN needs images of at least 4 x 4 pixels, not {h} x {w}")
    first_filters, later_filters = config.filters
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    # (filters, kernel, stride) of each convolution
    plan = [
        (first_filters, 3, 1),
        (first_filters, 3, 1),
        (first_filters, 3, 2),
        (later_filters, 3, 1),
        (later_filters, 3, 1),
        (later_filters, 3, 2),
    ]
    plan += [(later_filters, 3, 1), (later_filters, 1, 1)]
    for number, (filters, kernel, stride) in enumerate(plan, 1):
        layers[f"conv{number}"] = nn.Conv2d(channels, filters, kernel, stride, kernel // 2)
        layers[f"act{number}"] = nn.ReLU()  # (n, filters, h, w), halved by every stride
        channels = filters
    layers["maps"] = nn.Conv2d(channels, num_classes, 1)
    layers["average"] = nn.AdaptiveAvgPool2d(1)  # (n, K, 1, 1)
    layers["flatten"] = nn.Flatten()
    for layer in layers.values():
        if isinstance(layer, nn.Conv2d):  # nine layers of torch's default lose the signal
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]  # it has one
    numbers = range(1, len(plan) + 1)
    probes = config.probes or [*(f"conv{i}" for i in numbers), "maps"]
    activations = config.activations or [*(f"act{i}" for i in numbers), SOFTMAX]
    return Network(layers, probes, activations)
