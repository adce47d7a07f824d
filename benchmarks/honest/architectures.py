"""Small networks of the usual kinds, of ten classes, untrained.

All are plain ``nn.Sequential`` or the project's own, (n, c, h, w) in [0, 1] -> (n, 10) logits, by
default of 28 x 28 grey images.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from robustinfo.models import lenet5, resnet18

SHAPE, COLOUR, CLASSES = (1, 28, 28), (3, 32, 32), 10
Shape = tuple[int, int, int]
SIGMOID_GAIN = 4.0  # Glorot and Bengio (2010): the slope of a sigmoid at 0 is a quarter


def lenet(activation: Callable[[], nn.Module] = nn.ReLU) -> nn.Module:
    """LeNet-5, with another activation if one is given."""
    network = lenet5.build(SHAPE, CLASSES, config=lenet5.Config())
    for name, layer in list(network.named_modules()):
        if isinstance(layer, nn.ReLU):
            network.set_submodule(name, activation())
    return network


def convolutional(
    width: int = 16,
    activation: Callable[[], nn.Module] = nn.ReLU,
    batch_norm: bool = False,
    shape: Shape = SHAPE,
) -> nn.Module:
    """The small network of Wong and Kolter (2018), arXiv 1711.00851: two strided convolutions."""
    layers: list[nn.Module] = []
    for before, after in pairwise((shape[0], width, 2 * width)):
        layers.append(nn.Conv2d(before, after, 4, stride=2, padding=1))
        layers += [nn.BatchNorm2d(after)] * batch_norm
        layers.append(activation())
    seen = 2 * width * (shape[1] // 4) * (shape[2] // 4)
    hidden = [nn.Linear(seen, 100), activation(), nn.Linear(100, CLASSES)]
    return nn.Sequential(*layers, nn.Flatten(), *hidden)


def pooled(width: int = 8, dropout: float = 0.0) -> nn.Module:
    """Two convolutions, each followed by a maximum over 2 x 2, and a dropout before the last."""
    layers: list[nn.Module] = []
    for before, after in pairwise((1, width, 2 * width)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    last = nn.Linear(2 * width * 7 * 7, CLASSES)
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(dropout), last)


def connected(
    widths: Sequence[int], activation: Callable[[], nn.Module] = nn.ReLU, lipschitz: bool = False
) -> nn.Module:
    """Fully connected layers; ``lipschitz``: each of a spectral norm of 1 (arXiv 1802.05957)."""
    sizes = (784, *widths, CLASSES)
    layers: list[nn.Module] = [nn.Flatten()]
    for before, after in pairwise(sizes):
        linear = nn.Linear(before, after)
        if activation is nn.Sigmoid:
            nn.init.xavier_normal_(linear.weight, SIGMOID_GAIN)
            nn.init.zeros_(linear.bias)
        layers += [spectral_norm(linear) if lipschitz else linear, activation()]
    return nn.Sequential(*layers[:-1])


def one_convolution(filters: int) -> nn.Module:
    """A convolution, ReLU and a linear layer: about as small as a network gets."""
    convolution = nn.Conv2d(1, filters, 5, stride=3)
    return nn.Sequential(convolution, nn.ReLU(), nn.Flatten(), nn.Linear(filters * 64, CLASSES))


def residual(width: int, shape: Shape = SHAPE) -> nn.Module:
    """ResNet-18 with few filters, on images halved first: a convolution of stride 2 in front."""
    first = nn.Conv2d(shape[0], width, 3, stride=2, padding=1)
    rest = resnet18.build(
        (width, shape[1] // 2, shape[2] // 2), CLASSES, config=resnet18.Config(width=width)
    )
    return nn.Sequential(first, rest)
