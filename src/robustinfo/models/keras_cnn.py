"""The two example networks of Keras, without drop-out: blocks of 3 x 3 convolutions, dense layers.

Keras's mnist_cnn and cifar10_cnn, as arXiv 2008.03072 (table I) uses them. On MNIST: blocks
[[32, 64]], dense [512, 84]; on CIFAR-10: blocks [[32, 32], [64, 64]], pad_first, dense
[512, 256, 128, 128, 84]. Max-pooling halves the image after every block; ReLU throughout. Weights
begin as Glorot and Bengio (2010) draw them.
"""

from collections import OrderedDict
from typing import Annotated

from pydantic import Field, PositiveInt
from torch import nn

from robustinfo.core.errors import UserError
from robustinfo.core.settings import Names, Settings
from robustinfo.models._network import SOFTMAX, Network

Sizes = Annotated[tuple[PositiveInt, ...], Field(strict=False)]


class Config(Settings):
    blocks: Annotated[tuple[Sizes, ...], Field(strict=False)]  # filters of each convolution
    pad_first: bool = False  # the first convolution of a block keeps the size (Keras's "same")
    dense: Sizes  # neurons of each hidden layer
    probes: Names | None = None  # None: every convolution and dense layer, before its ReLU
    # None: what the next layer reads. That is every ReLU's output, pooled where a pooling follows,
    # and the softmax.
    activations: Names | None = None


def build(image_shape: tuple[int, int, int], num_classes: int, *, config: Config) -> Network:
    """An untrained classifier, (n, c, h, w) in [0, 1] -> (n, K) logits.

    image_shape: (c, h, w). Raises ValueError where the image is too small to be pooled so often.
    """
    channels, h, w = image_shape
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    probes, activations = [], []
    number = 0
    for block, filters in enumerate(config.blocks, 1):
        for position, size in enumerate(filters):
            number += 1
            padding = int(config.pad_first and position == 0)
            layers[f"conv{number}"] = nn.Conv2d(channels, size, kernel_size=3, padding=padding)
            layers[f"act{number}"] = nn.ReLU()  # (n, size, h, w)
            channels, h, w = size, h - 2 + 2 * padding, w - 2 + 2 * padding
            probes.append(f"conv{number}")
            activations.append(f"act{number}")
        layers[f"pool{block}"] = nn.MaxPool2d(2)  # (n, size, h/2, w/2)
        h, w = h // 2, w // 2
        activations[-1] = f"pool{block}"
    if min(h, w) < 1:
        raise UserError(
            f"{len(config.blocks)} blocks leave nothing of images of {image_shape[1]} x "
            f"{image_shape[2]} pixels; write fewer `blocks`"
        )
    layers["flatten"] = nn.Flatten()
    features = channels * h * w
    for position, size in enumerate(config.dense, 1):
        number += 1
        layers[f"fc{position}"] = nn.Linear(features, size)  # (n, size)
        layers[f"act{number}"] = nn.ReLU()
        features = size
        probes.append(f"fc{position}")
        activations.append(f"act{number}")
    layers[f"fc{len(config.dense) + 1}"] = nn.Linear(features, num_classes)  # (n, K)
    probes.append(f"fc{len(config.dense) + 1}")
    activations.append(SOFTMAX)
    for layer in layers.values():
        if isinstance(layer, nn.Conv2d | nn.Linear):  # as Keras begins: larger than torch does
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]  # it has one
    return Network(layers, config.probes or probes, config.activations or activations)
