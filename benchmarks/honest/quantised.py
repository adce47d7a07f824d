"""Networks of 4 bits, trained through the straight-through estimator, which attacks climb as well.

Bengio et al. (2013), arXiv 1308.3432: rounding forwards, the identity backwards. Activations are
ReLU6 in equal steps (Jacob et al. 2018, arXiv 1712.05877); weights are in equal steps, too.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

STEPS, TOP = 15, 6.0  # of an activation: 16 values from 0 to 6
WEIGHT_STEPS = 7  # on either side of 0


class _Whole(torch.autograd.Function):
    """Whole numbers; the gradient goes straight through."""

    @staticmethod
    def forward(ctx: object, values: Tensor) -> Tensor:
        return values.round()

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        return gradient


class QuantisedReLU(nn.Module):
    """Any shape -> the same, of 16 values."""

    def forward(self, x: Tensor) -> Tensor:
        return _Whole.apply(x.clamp(0, TOP) * (STEPS / TOP)) * (TOP / STEPS)


class QuantisedWeight(nn.Module):
    """A parametrisation: 15 values, of which 0 is the middle."""

    def forward(self, weight: Tensor) -> Tensor:
        step = weight.detach().abs().max() / WEIGHT_STEPS
        return _Whole.apply(weight / step) * step


def quantised(network: nn.Module) -> nn.Module:
    """The network, whose convolutions and linear layers have weights of 4 bits from now on."""
    for layer in list(network.modules()):
        if isinstance(layer, nn.Linear | nn.Conv2d):
            parametrize.register_parametrization(layer, "weight", QuantisedWeight())
    return network
