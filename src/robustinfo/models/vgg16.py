"""VGG-16 with BatchNorm for small images: thirteen 3 x 3 convolutions, two hidden dense layers.

Simonyan and Zisserman (2015), arXiv 1409.1556, configuration D, with BatchNorm and no drop-out. On
CIFAR-10 most have one dense layer, 512-K, behind its convolutions. IB-RAR (Xu, Perin and Picek,
2023, arXiv 2302.10896) regularises two hidden ones, so they are here, as its first author's code
has them: 4,096 neurons each; linear, BatchNorm, ReLU. They read one average per channel, which
takes images of any size; an odd side is rounded up when halved, so 28 pixels outlive five poolings.

The seven points of that paper are the five blocks, pooled, and the two hidden layers after their
ReLU. ``block5`` is the last convolutional output: a channel set to 0 there adds nothing to what
follows. In training, BatchNorm needs two images at least. Images are read in [0, 1].
"""

from collections import OrderedDict

from pydantic import PositiveInt
from torch import nn

from robustinfo.core.settings import Names, Settings
from robustinfo.models._mask import MASK, ChannelMask
from robustinfo.models._network import SOFTMAX, Network

# (convolutions, times ``width`` their filters) of each block
PLAN = ((2, 1), (2, 2), (3, 4), (3, 8), (3, 8))
HIDDEN = (*(f"block{number}" for number in range(1, len(PLAN) + 1)), "fc1", "fc2")


class Config(Settings):
    width: PositiveInt = 64  # filters of the first block; the last two have eight times as many
    hidden: PositiveInt = 4096  # neurons of each hidden dense layer
    probes: Names = HIDDEN
    activations: Names = (*HIDDEN, SOFTMAX)


def block(channels: int, filters: int, convolutions: int) -> nn.Sequential:
    """(n, channels, h, w) -> (n, filters, h/2, w/2), rounded up."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number in range(1, convolutions + 1):
        conv = layers[f"conv{number}"] = nn.Conv2d(channels, filters, 3, padding=1)
        # As torchvision begins. From torch's default, BatchNorm lets it train as well, but the
        # untrained network, a snapshot too, tells images apart by rounding errors only.
        nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(conv.bias)  # type: ignore[arg-type]  # it has one
        layers[f"norm{number}"] = nn.BatchNorm2d(filters)
        layers[f"act{number}"] = nn.ReLU()
        channels = filters
    layers["pool"] = nn.MaxPool2d(2, ceil_mode=True)
    return nn.Sequential(layers)


def dense(features: int, neurons: int) -> nn.Sequential:
    """(n, features) -> (n, neurons), of one sign."""
    linear = nn.Linear(features, neurons)
    return nn.Sequential(OrderedDict(linear=linear, norm=nn.BatchNorm1d(neurons), act=nn.ReLU()))


def build(image_shape: tuple[int, int, int], num_classes: int, *, config: Config) -> Network:
    """An untrained classifier, (n, c, h, w) in [0, 1] -> (n, K) logits.

    image_shape: (c, h, w), of any size.
    """
    channels = image_shape[0]
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, (convolutions, times) in enumerate(PLAN, 1):
        layers[f"block{number}"] = block(channels, times * config.width, convolutions)
        channels = times * config.width
    layers[MASK] = ChannelMask(channels)
    layers["average"] = nn.AdaptiveAvgPool2d(1)  # (n, 8 width, 1, 1)
    layers["flatten"] = nn.Flatten()
    layers["fc1"] = dense(channels, config.hidden)
    layers["fc2"] = dense(config.hidden, config.hidden)  # (n, hidden)
    layers["fc3"] = nn.Linear(config.hidden, num_classes)  # (n, K)
    return Network(layers, config.probes, config.activations)
