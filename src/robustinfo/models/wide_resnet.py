"""WRN-depth-width, a residual network for small images that is wide instead of deep. No drop-out.

Zagoruyko and Komodakis (2016), arXiv 1605.07146, table 1: three groups of (depth - 4) / 6 blocks
with 16, 32 and 64 times ``width`` channels, each block BatchNorm, activation, convolution, twice,
beside a shortcut. The shortcut is the block's input as it is; where the number of channels changes,
both paths read the activated input, and the shortcut is a 1 x 1 convolution of it. Images are read
in [0, 1]; the authors standardised theirs.

arXiv 2207.05756 prints "WideResNet" and trains a WRN-10-1 with LeakyReLU(0.1). It measures five
layers: the first convolution, the classifier, and the input activation of each group, which is
taken to be the output of its first BatchNorm and activation: all that the group computes from,
but for the plain shortcut in the first group of a WRN-depth-1. (The paper's code, in some versions,
has that block's second activation, here ``group1.block1.act2`` and so on.)

Its code averages the last maps over squares of 8 x 8, here ``pool: 8``. On images of 32 x 32 a
square is a whole map, on those of STL-10, 96 x 96, a ninth: the classifier reads 576 values.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Literal, Self

from pydantic import PositiveInt, model_validator
from torch import Tensor, nn

from robustinfo.core.errors import UserError
from robustinfo.core.settings import Names, PositiveNumber, Settings
from robustinfo.models._mask import MASK, ChannelMask
from robustinfo.models._network import SOFTMAX, Network

GROUPS = ("group1", "group2", "group3")
ENTRIES = tuple(f"{group}.block1.act1" for group in GROUPS)


class Config(Settings):
    depth: PositiveInt = 28  # convolutions of the longest path, and the classifier
    width: PositiveInt = 10  # the channels of the groups: 16, 32 and 64 times as many
    activation: Literal["relu", "leaky_relu"] = "relu"  # of every block
    negative_slope: PositiveNumber | None = None  # of leaky_relu
    pool: PositiveInt | None = None  # the side of the squares averaged at the end; None: whole maps
    probes: Names = ("conv1", *ENTRIES, "fc")
    # None: what groups and classifier read, and the softmax; of leaky_relu, which is no activation
    # of one sign, the softmax alone.
    activations: Names | None = None

    @model_validator(mode="after")
    def depth_fills_the_groups(self) -> Self:
        """Three groups of n blocks have 6 n + 4 layers."""
        if self.depth < 10 or self.depth % 6 != 4:
            raise ValueError(f"`depth` is 6 n + 4: 10, 16, 22, 28, 34, 40, ..., not {self.depth}")
        return self

    @model_validator(mode="after")
    def slope_is_of_leaky_relu(self) -> Self:
        """The other activation has none."""
        if (self.activation == "leaky_relu") != (self.negative_slope is not None):
            raise ValueError("leaky_relu needs a `negative_slope`, relu takes none")
        return self


class Block(nn.Module):
    """A pre-activation block, (n, channels, h, w) -> (n, out, h / stride, w / stride)."""

    def __init__(  # noqa: D107
        self, channels: int, out: int, stride: int, activation: Callable[[], nn.Module]
    ) -> None:
        super().__init__()
        self.norm1, self.act1 = nn.BatchNorm2d(channels), activation()
        same = channels == out
        self.shortcut = None if same else nn.Conv2d(channels, out, 1, stride, bias=False)
        self.conv1 = nn.Conv2d(channels, out, 3, stride, padding=1, bias=False)
        self.norm2, self.act2 = nn.BatchNorm2d(out), activation()
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        active = self.act1(self.norm1(x))
        if self.shortcut is not None:
            x = self.shortcut(active)
        return x + self.conv2(self.act2(self.norm2(self.conv1(active))))


def build(image_shape: tuple[int, int, int], num_classes: int, *, config: Config) -> Network:
    """An untrained classifier, (n, c, h, w) in [0, 1] -> (n, K) logits.

    image_shape: (c, h, w), of any size: the last maps, about a quarter as high and wide, are
    averaged, whole or square by square; what is left over at their edges is not read. Raises
    UserError if they are smaller than a square.
    """
    activation: Callable[[], nn.Module] = nn.ReLU
    if config.negative_slope is not None:
        activation = partial(nn.LeakyReLU, config.negative_slope)
    channels = 16
    start = nn.Conv2d(image_shape[0], channels, 3, padding=1, bias=False)
    layers: OrderedDict[str, nn.Module] = OrderedDict(conv1=start)
    for group, out, stride in zip(GROUPS, (16, 32, 64), (1, 2, 2), strict=True):
        blocks: OrderedDict[str, nn.Module] = OrderedDict()
        for number in range(1, (config.depth - 4) // 6 + 1):
            first = stride if number == 1 else 1
            blocks[f"block{number}"] = Block(channels, out * config.width, first, activation)
            channels = out * config.width
        layers[group] = nn.Sequential(blocks)
    layers["norm"] = nn.BatchNorm2d(channels)
    layers["act"] = activation()  # (n, 64 width, h/4, w/4), rounded up
    layers[MASK] = ChannelMask(channels)
    layers["average"] = (
        nn.AdaptiveAvgPool2d(1) if config.pool is None else nn.AvgPool2d(config.pool)
    )
    layers["flatten"] = nn.Flatten()
    last = nn.Linear(channels * _squares(image_shape, config.pool), num_classes)
    layers["fc"] = last  # (n, K)
    one_sign = (*ENTRIES, "act", SOFTMAX) if config.activation == "relu" else (SOFTMAX,)
    network = Network(layers, config.probes, config.activations or one_sign)
    nn.init.zeros_(last.bias)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return network


def _squares(image_shape: tuple[int, int, int], pool: int | None) -> int:
    """The number of averages of each of the last maps that the classifier reads."""
    if pool is None:
        return 1
    sides = [math.ceil(math.ceil(side / 2) / 2) for side in image_shape[1:]]
    if min(sides) < pool:
        high, wide = sides
        raise UserError(
            f"the last maps are {high} x {wide}: `pool` is {pool}, and may be no larger"
        )
    return math.prod(side // pool for side in sides)
