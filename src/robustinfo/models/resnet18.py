"""ResNet-18 for small images: one 3 x 3 convolution instead of the first layers, and no max-pool.

He et al. (2016), arXiv 1512.03385, table 1, begun as is usual on CIFAR: four stages of two blocks,
the last three of which halve height and width. Images are read in [0, 1]. torchvision's block adds
and activates in place, which would overwrite what points within it have given, and its filters are
fixed in number: so the block is written out here, and tested against torchvision's.

The points are those that the code of HBaR (Wang et al., 2021, arXiv 2106.02734) regularises, and
after it that of the first author of IB-RAR (arXiv 2302.10896): the first activation, every block,
the averaged features. (IB-RAR's text says "all hidden layers".) ``stage4`` is the last
convolutional output: a channel set to 0 there adds nothing to what follows.
"""

from collections import OrderedDict

from pydantic import PositiveInt
from torch import Tensor, nn

from robustinfo.core.settings import Names, Settings
from robustinfo.models._mask import MASK, ChannelMask
from robustinfo.models._network import SOFTMAX, Network

STAGES = ("stage1", "stage2", "stage3", "stage4")
BLOCKS = tuple(f"{stage}.block{number}" for stage in STAGES for number in (1, 2))
HIDDEN = ("act", *BLOCKS, "average")


class Config(Settings):
    width: PositiveInt = 64  # filters of the first stage; each one has twice as many as the last
    probes: Names = HIDDEN
    activations: Names = (*HIDDEN, SOFTMAX)


class Block(nn.Module):
    """Two convolutions beside a shortcut, (n, channels, h, w) -> (n, out, h/stride, w/stride)."""

    def __init__(self, channels: int, out: int, stride: int) -> None:  # noqa: D107
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride, padding=1, bias=False)
        self.norm1, self.act1 = nn.BatchNorm2d(out), nn.ReLU()
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        self.norm2, self.act2 = nn.BatchNorm2d(out), nn.ReLU()
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or channels != out:
            convolution = nn.Conv2d(channels, out, 1, stride, bias=False)
            self.shortcut = nn.Sequential(OrderedDict(conv=convolution, norm=nn.BatchNorm2d(out)))

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        inner = self.act1(self.norm1(self.conv1(x)))
        return self.act2(self.norm2(self.conv2(inner)) + self.shortcut(x))


def build(image_shape: tuple[int, int, int], num_classes: int, *, config: Config) -> Network:
    """An untrained classifier, (n, c, h, w) in [0, 1] -> (n, K) logits.

    image_shape: (c, h, w), of any size: the last maps, about an eighth as high and wide, are
    averaged.
    """
    channels = config.width
    first = nn.Conv2d(image_shape[0], channels, 3, padding=1, bias=False)
    layers: OrderedDict[str, nn.Module] = OrderedDict(conv=first)
    layers["norm"] = nn.BatchNorm2d(channels)
    layers["act"] = nn.ReLU()  # (n, width, h, w)
    for number, stage in enumerate(STAGES):
        out = config.width * 2**number
        blocks: OrderedDict[str, nn.Module] = OrderedDict(
            block1=Block(channels, out, stride=2 if number else 1)
        )
        blocks["block2"] = Block(out, out, stride=1)
        layers[stage] = nn.Sequential(blocks)
        channels = out
    layers[MASK] = ChannelMask(channels)
    layers["average"] = nn.AdaptiveAvgPool2d(1)  # (n, 8 width, 1, 1)
    layers["flatten"] = nn.Flatten()
    layers["fc"] = nn.Linear(channels, num_classes)  # (n, K)
    network = Network(layers, config.probes, config.activations)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return network
