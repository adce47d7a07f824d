"""Interval bound propagation: what the logits can be at most and at least in a ball of l-infinity.

Gowal et al. (2018), arXiv 1810.12715: minimise
    kappa CE(f(x), y) + (1 - kappa) CE(z, y),   z_y = lower bound of f_y, z_k = upper bound of f_k,
kappa from 1 to 1/2 and epsilon from 0 to its value while the first half of the steps goes on. An
image with z_y > z_k for every other k is certified: no perturbation within epsilon turns it.
"""

from collections.abc import Callable
from itertools import count

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

KAPPA = 0.5  # at the end


def worst_logits(network: nn.Sequential, x: Tensor, y: Tensor, epsilon: float) -> Tensor:
    """z, (n, K), of images (n, c, h, w) in [0, 1]. Layers: convolutions, linear, ReLU, flatten."""
    low, high = (x - epsilon).clamp(min=0), (x + epsilon).clamp(max=1)
    for layer in network:
        low, high = _through(layer, low, high)
    own = F.one_hot(y, low.shape[1]).bool()
    return torch.where(own, low, high)


def _through(layer: nn.Module, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """The bounds behind a layer that is monotone or affine."""
    if not isinstance(layer, nn.Linear | nn.Conv2d):
        return layer(low), layer(high)
    middle = layer((low + high) / 2)
    # An affine layer's reach: its absolute weights on the radius, without the bias.
    radius, weight = (high - low) / 2, layer.weight.abs()
    if isinstance(layer, nn.Linear):
        reach = F.linear(radius, weight)
    else:
        reach = F.conv2d(radius, weight, None, layer.stride, layer.padding)
    return middle - reach, middle + reach


def loss_terms(epsilon: float, steps: int) -> Callable[..., dict[str, Tensor]]:
    """The terms of a certifiable training of so many steps, for ``training.train``."""
    taken = count()

    def terms(
        model: nn.Sequential, x: Tensor, y: Tensor, *, generator: Generator
    ) -> dict[str, Tensor]:
        way = min(1.0, next(taken) / (steps / 2))
        kappa = 1 - (1 - KAPPA) * way
        worst = worst_logits(model, x, y, way * epsilon)
        return {
            "clean": kappa * F.cross_entropy(model(x), y),
            "bound": (1 - kappa) * F.cross_entropy(worst, y),
        }

    return terms


@torch.no_grad()
def certified(network: nn.Sequential, x: Tensor, y: Tensor, epsilon: float) -> Tensor:
    """(n,) bool: does the bound exclude every error within epsilon?"""
    return worst_logits(network, x, y, epsilon).argmax(1) == y
