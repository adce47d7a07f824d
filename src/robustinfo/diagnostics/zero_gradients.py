"""Vanishing gradients, and gradients that are masked: there gradient attacks prove nothing.

Carlini et al. (2019), arXiv 1902.06705, and Athalye et al. (2018), arXiv 1802.00420 (gradient
masking). In float32, as in an attack. The results are fractions of all n images. A gradient counts
as vanishing where it is NaN, or where the output does not depend on x at all.

Known bias: a step of the logits that none of the nine points crosses is not seen.
"""

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from robustinfo.attacks._frozen import frozen
from robustinfo.attacks._gradient_safe import logits_or_detached
from robustinfo.core.batches import memory_batches
from robustinfo.core.measurement import Measurement, fraction
from robustinfo.core.settings import Norm, Outline, Pixels, Settings
from robustinfo.diagnostics._ball_points import ball_points, logits_differ
from robustinfo.diagnostics._preserve_state import preserve_state
from robustinfo.maths.margin import margin

BELOW = 1e-12  # the largest l-infinity norm that counts as zero


class Config(Settings):
    norm: Norm = "linf"
    epsilon: Pixels


def outline(config: Config) -> Outline:
    """The names of its rows.

    zero_gradient_fraction  images whose gradient of the cross-entropy vanishes at x. A
        network that is sure, or constant around x, has them without hiding anything
    flat_fraction  images that are correct when clean, and whose gradients of the
        cross-entropy and of the margin both vanish, at x and at eight points of its ball, while the
        logits differ between these points: the gradient is masked, as behind an input that is
        rounded or detached
    """
    return [{"quantity": ("zero_gradient_fraction", "flat_fraction")}]


def diagnose(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> list[Measurement]:
    """Fractions of the n images.  x: (n, c, h, w) in [0, 1].  y: (n,) labels."""
    with preserve_state(model), frozen(model):
        zero = vanishing(model, x, y)
        parts = memory_batches(x, y)
        flat = [_flat(model, a, b, config=config, generator=generator) for a, b in parts]
    return [fraction("zero_gradient_fraction", zero), fraction("flat_fraction", torch.cat(flat))]


def vanishing(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Whether the gradient of the cross-entropy vanishes at x, (n,) bool. Modes stay."""
    return torch.cat([_logits_and_flatness(model, a, b)[1] for a, b in memory_batches(x, y)])


def _logits_and_flatness(model: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, ...]:
    """Logits (n, K); and whether the gradients of cross-entropy and margin vanish, (n,) bool."""
    x = x.clone().requires_grad_()
    logits = logits_or_detached(model, x.clone())
    totals = F.cross_entropy(logits, y, reduction="sum"), margin(logits, y).sum()
    return logits.detach(), *(~(_gradient_norm(total, x) > BELOW) for total in totals)


def _gradient_norm(total: Tensor, x: Tensor) -> Tensor:
    """The l-infinity norm of each image's gradient: (n,), NaN where it has NaN."""
    if not total.requires_grad:
        return torch.zeros(len(x), device=x.device)
    (gradient,) = torch.autograd.grad(total, x, retain_graph=True, materialize_grads=True)
    return gradient.flatten(1).abs().amax(1)


def _flat(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> Tensor:
    """``flat_fraction``'s mask, (n,) bool. Points are drawn for all images."""
    logits, *flat_here = _logits_and_flatness(model, x, y)
    flat = (logits.argmax(1) == y) & flat_here[0] & flat_here[1]
    varies = torch.zeros_like(flat)
    for point in ball_points(x, config.norm, config.epsilon, generator):
        left = flat.nonzero().squeeze(1)
        if len(left):
            point_logits, *flat_here = _logits_and_flatness(model, point[left], y[left])
            flat[left] = flat_here[0] & flat_here[1]
            varies[left] |= logits_differ(logits[left], point_logits)
    return flat & varies
