"""Defects in front of the network: what it sees is not what the gradient is of."""

import math
from functools import cache

import torch
from torch import Generator, Tensor, nn

from robustinfo.core.batches import to_float
from robustinfo.distortions import jpeg
from robustinfo.evaluation.attacks import attacks_of
from robustinfo.models import lenet5
from tests.evaluation.defects.defect import PGD, SQUARE, Before, Planted, before, undefended
from tests.evaluation.networks import fitted, images

LEVELS, NEIGHBOURS, MEMORY, PURIFICATIONS = 10, 3, 500, 12
RIPPLES = 1111  # from black to white; no multiple of the 255 steps that files have


def sixteen_greys(x: Tensor) -> Tensor:
    return (15 * x).round() / 15


def as_a_file(x: Tensor) -> Tensor:
    return jpeg.distort(x, config=jpeg.Config(quality=50), generator=Generator())


def thermometer(x: Tensor) -> Tensor:
    """(n, 1, h, w) -> (n, LEVELS, h, w): channel k says whether the pixel exceeds k / LEVELS."""
    levels = torch.arange(LEVELS, device=x.device, dtype=x.dtype).view(1, -1, 1, 1) / LEVELS
    return (x > levels).to(x)


@cache
def of_thermometers() -> nn.Module:
    """A plainly trained LeNet-5 that reads thermometers (Buckman et al. 2018)."""
    torch.manual_seed(0)
    inner = lenet5.build((LEVELS, 28, 28), 10, config=lenet5.Config())
    return fitted(Before(thermometer, inner), "digits", "standard", 0)


@cache
def memory() -> Tensor:
    """Training images, flat: (MEMORY, d) in [0, 1]."""
    return to_float(images("digits", "train").images[:MEMORY]).flatten(1)


def nearest(x: Tensor) -> Tensor:
    """The mean of the most similar training images: what a generative model would put there."""
    known = memory()
    rows = torch.cdist(x.flatten(1), known.to(x)).topk(NEIGHBOURS, largest=False).indices
    return known.to(x)[rows].mean(1).view_as(x)


def purified(x: Tensor) -> Tensor:
    """Sharpened again and again, as by a recurrent denoiser: slopes multiply, and underflow."""
    for _ in range(PURIFICATIONS):
        x = torch.sigmoid(30 * (x - 0.5))
    return x


def squared_root(x: Tensor) -> Tensor:
    """The image itself, by a way whose slope is 0 times infinity where a pixel is black."""
    return x.sqrt().square()


def staircase(x: Tensor) -> Tensor:
    """The image within 0.0007, with a slope of 0 exactly at the 256 values that files have."""
    turn = 2 * math.pi * 255
    return x - torch.sin(turn * x) / turn


def rippled(x: Tensor) -> Tensor:
    """The image within a tenth of a grey value, whose slope leads to and fro: from -2 to 4."""
    turn = 2 * math.pi * RIPPLES
    return x + 3 * torch.sin(turn * x) / turn


def on_the_cross_entropy(ball, network):
    """PGD on the cross-entropy alone."""
    return attacks_of({"pgd": PGD})


def from_the_image(ball, network):
    """PGD on the cross-entropy that starts at the image alone, and a black box beside it."""
    return attacks_of({"pgd": PGD | {"random_start": False}, "square": SQUARE})


PLANTED = {
    "quantised": Planted(before(sixteen_greys)),
    "detached": Planted(before(Tensor.detach)),
    "jpeg": Planted(before(as_a_file)),
    "thermometer": Planted(lambda model: of_thermometers()),
    "nearest": Planted(before(nearest)),
    "purified": Planted(before(purified)),
    "nan": Planted(before(squared_root)),
    "rippled": Planted(before(rippled), on_the_cross_entropy),
    "staircase": Planted(lambda model: Before(staircase, undefended()), from_the_image),
}
