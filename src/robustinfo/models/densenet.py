"""DenseNet-BC for small images: torchvision's, its first layers replaced by one 3 x 3 convolution.

Huang et al. (2017), arXiv 1608.06993: every layer of a block reads all earlier ones. The paper's
network for CIFAR is blocks [16, 16, 16] with growth 12 (100 layers deep).
"""

from collections import OrderedDict
from typing import Annotated

from pydantic import Field, PositiveInt
from torch import nn
from torchvision.models.densenet import DenseNet

from robustinfo.core.errors import UserError
from robustinfo.core.settings import Names, Settings
from robustinfo.models._network import SOFTMAX, Network


class Config(Settings):
    # layers of each dense block
    blocks: Annotated[tuple[PositiveInt, ...], Field(strict=False)] = (16, 16, 16)
    growth: PositiveInt = 12  # channels that each layer adds
    probes: Names | None = None  # None: the first convolution, every block, the classifier
    activations: Names = ("act", SOFTMAX)  # the only outputs that are all of one sign


def build(image_shape: tuple[int, int, int], num_classes: int, *, config: Config) -> Network:
    """An untrained classifier, (n, c, h, w) in [0, 1] -> (n, K) logits.

    image_shape: (c, h, w). Raises ValueError where nothing is left to halve.
    """
    channels, h, w = image_shape
    least = 2 ** (len(config.blocks) - 1)
    if min(h, w) < least:
        raise UserError(f"{len(config.blocks)} blocks need {least} x {least} pixels, not {h} x {w}")
    first = 2 * config.growth
    whole = DenseNet(config.growth, config.blocks, first, num_classes=num_classes)
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv=nn.Conv2d(channels, first, 3, padding=1, bias=False)
    )
    layers |= {  # each transition halves height and width
        name: layer
        for name, layer in whole.features.named_children()
        if name.startswith(("denseblock", "transition", "norm5"))
    }
    layers["act"] = nn.ReLU()
    layers["average"] = nn.AdaptiveAvgPool2d(1)
    layers["flatten"] = nn.Flatten()
    layers["fc"] = whole.classifier  # (n, K)
    blocks = [name for name in layers if name.startswith("denseblock")]
    return Network(layers, config.probes or ["conv", *blocks, "fc"], config.activations)
