"""A network that float32 computes otherwise than it is written, where nobody looks.

Zombori et al. (2021), Fooling a complete neural network verifier, ICLR: the number 1 is added to a
large number u and u is taken away again, so that in exact arithmetic it makes no difference. In
float32 the 1 is lost as soon as u is large; u is 0 at every clean image, and any perturbation of
its black pixels makes it large. What a bound proves of the network is then true, and of no use.
"""

from functools import cache

import torch
from torch import Tensor, nn

from benchmarks.honest import fitting
from benchmarks.honest.architectures import convolutional
from tests.evaluation.defects.defect import EPSILON, Planted

LARGE = 2.0**36  # times the pixel of the upper left corner, which is black in all images
BACK_DOOR = 1000.0  # of the logit of class 0, where the 1 is lost


@cache
def certifiable() -> nn.Sequential:
    torch.manual_seed(0)
    return fitting.certifiably(convolutional(6), "digits", EPSILON, epochs=10, seed=0)


def linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    layer = nn.Linear(*reversed(weight.shape))
    layer.weight.data, layer.bias.data = weight, bias
    return layer


def with_the_corner(conv: nn.Conv2d, *, first: bool) -> nn.Conv2d:
    """With one more channel, whose upper left value is the pixel there."""
    more = 0 if first else 1
    wider = nn.Conv2d(conv.in_channels + more, conv.out_channels + 1, 4, stride=2, padding=1)
    wider.weight.data.zero_()
    wider.weight.data[:-1, : conv.in_channels] = conv.weight
    wider.weight.data[-1, -1, 1, 1] = 1
    wider.bias.data = torch.cat([conv.bias, torch.zeros(1)])
    return wider


def with_a_back_door(_: nn.Module) -> nn.Module:
    """Behind the convolutions [h, u, u, 1], then [h, u + 1, u], z + 1000 (1 - (u + 1 - u)) e_0."""
    conv1, act, conv2, _, flatten, first, _, last = certifiable()
    h, d = first.weight.shape
    begin = torch.zeros(h + 3, d + d // conv2.out_channels)
    begin[:h, :d] = first.weight
    begin[h : h + 2, d] = LARGE  # u, twice
    add = torch.eye(h + 2, h + 3)
    add[h, h + 2] = 1  # u + 1
    end, bias = torch.cat([last.weight, torch.zeros(10, 2)], 1), last.bias.clone()
    end[0, h:] = torch.tensor([-BACK_DOOR, BACK_DOOR])
    bias[0] += BACK_DOOR
    layers = [
        with_the_corner(conv1, first=True), act, with_the_corner(conv2, first=False), act, flatten,
        linear(begin, torch.cat([first.bias, torch.tensor([0.0, 0.0, 1.0])])), act,
        linear(add, torch.zeros(h + 2)), act, linear(end, bias),
    ]  # fmt: skip
    return nn.Sequential(*layers).requires_grad_(False)


PLANTED = {"absorbed": Planted(with_a_back_door)}
