"""Where gradients vanish, and where that hides something: there gradient attacks prove nothing.

Carlini et al. (2019), arXiv 1902.06705, and Athalye et al. (2018), arXiv 1802.00420 (gradient
masking). In float32, as an attack would see it. What it says are fractions of all n images. A
gradient that is NaN, or that the output does not depend on at all, vanishes: neither can be
climbed.

Known bias: a step that none of the nine points lies across is not seen.
"""

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from robustinfo.attacks._frozen import frozen
from robustinfo.attacks._gradient_safe import answer
from robustinfo.core.batches import together
from robustinfo.core.measurement import Measurement, fraction
from robustinfo.core.settings import Norm, Outline, Pixels, Settings
from robustinfo.diagnostics._kept import kept
from robustinfo.diagnostics._probes import apart, around
from robustinfo.maths.margin import margin

BELOW = 1e-12  # the largest l-infinity norm that counts as zero


class Config(Settings):
    norm: Norm = "linf"
    epsilon: Pixels


def outline(config: Config) -> Outline:
    """What its rows are called.

    zero_gradient_fraction  images whose gradient of the cross-entropy vanishes at x. A
        network that is sure, or constant around x, has them without hiding anything
    flat_fraction  images that are correct when clean, and whose gradients of the
        cross-entropy and of the margin both vanish, at x and at eight points of its ball, while the
        logits differ between these points: the network answers to what its gradient denies,
        as behind an input that is rounded or detached
    """
    return [{"quantity": ("zero_gradient_fraction", "flat_fraction")}]


def diagnose(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> list[Measurement]:
    """x: (n, c, h, w) in [0, 1].  y: (n,) labels.  Fractions of the n images."""
    with kept(model), frozen(model):
        zero = vanishing(model, x, y)
        parts = together(x, y)
        found = [_flat(model, a, b, config=config, generator=generator) for a, b in parts]
    return [fraction("zero_gradient_fraction", zero), fraction("flat_fraction", torch.cat(found))]


def vanishing(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """(n,) bool: is there nothing to climb on the cross-entropy at x? Modes stay as they are."""
    return torch.cat([_answered(model, a, b)[1] for a, b in together(x, y)])


def _answered(model: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, ...]:
    """Logits (n, K); and (n,) bool each, whether the cross-entropy and the margin are flat."""
    x = x.clone().requires_grad_()
    logits = answer(model, x.clone())
    totals = F.cross_entropy(logits, y, reduction="sum"), margin(logits, y).sum()
    return logits.detach(), *(~(_slope(total, x) > BELOW) for total in totals)


def _slope(total: Tensor, x: Tensor) -> Tensor:
    """The l-infinity norm of each image's gradient: (n,), NaN where it has NaN."""
    if not total.requires_grad:
        return torch.zeros(len(x), device=x.device)
    (gradient,) = torch.autograd.grad(total, x, retain_graph=True, materialize_grads=True)
    return gradient.flatten(1).abs().amax(1)


def _flat(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> Tensor:
    """(n,) bool, as the file's head says. Points are drawn for all, and looked at while flat."""
    logits, *still = _answered(model, x, y)
    flat = (logits.argmax(1) == y) & still[0] & still[1]
    differ = torch.zeros_like(flat)
    for point in around(x, config.norm, config.epsilon, generator):
        left = flat.nonzero().squeeze(1)
        if len(left):
            there, *still = _answered(model, point[left], y[left])
            flat[left] = still[0] & still[1]
            differ[left] |= apart(logits[left], there)
    return flat & differ
