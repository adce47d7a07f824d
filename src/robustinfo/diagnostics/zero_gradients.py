"""The share of images whose input gradient vanishes: where it does, gradient attacks prove nothing.

Carlini et al. (2019), arXiv 1902.06705, and Athalye et al. (2018), arXiv 1802.00420 (gradient
masking). The gradient is that of the cross-entropy in float32, as an attack would see it. An image
whose gradient is NaN, or that the output does not depend on at all, counts: neither can be climbed.
"""

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from robustinfo.attacks._climbable import answer
from robustinfo.attacks._foolbox import frozen
from robustinfo.batches import together
from robustinfo.diagnostics._finding import Finding
from robustinfo.settings import Number, Outline, Settings


class Config(Settings):
    below: Number = 1e-12  # the largest l-infinity norm that counts as zero


def outline(config: Config) -> Outline:
    """What its rows are called."""
    return [{"quantity": ("zero_gradient_share",)}]


def diagnose(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> list[Finding]:
    """x: (n, c, h, w) in [0, 1].  y: (n,) labels.  A fraction of the n images."""
    parts = together(x, y)
    with frozen(model):
        flat = torch.cat([_flat(model, a, b, config.below) for a, b in parts])
    return [Finding("zero_gradient_share", flat.double().mean().item())]


def _flat(model: nn.Module, x: Tensor, y: Tensor, below: float) -> Tensor:
    """(n,) bool: is there nothing to climb?"""
    x = x.clone().requires_grad_()
    loss = F.cross_entropy(answer(model, x), y, reduction="sum")
    if not loss.requires_grad:
        return torch.ones_like(y, dtype=torch.bool)
    (gradient,) = torch.autograd.grad(loss, x, materialize_grads=True)
    return ~(gradient.flatten(1).abs().amax(1) > below)
