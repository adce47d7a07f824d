"""FMN, the fast minimum-norm attack: the smallest perturbation that it finds.

Pintor, Roli, Brendel and Biggio (2021), arXiv 2102.12827, algorithm 1. Every step goes along the
gradient of max_{i != y} f_i(x') - f_y(x'), over its l2 norm, and is projected to the image's own
ball and to [0, 1]. Until an image is misclassified, its ball reaches as far as the boundary of a
linear network would lie, and a share gamma farther; from then on it shrinks by gamma after a
misclassified point, and grows by gamma after any other. gamma falls to 0.001, and the length of a
step to a hundredth, by half a cosine. ``targets`` aims at the likeliest wrong classes t, one run
for each, along f_t(x') - f_y(x'), as FAB does; the nearest of all runs counts.

The loop is foolbox's, on a folded copy of the network (see _fused_batchnorm.py), with three
differences. In l2 foolbox 3.3.4 never projects (its factor is norms / norms, so 1). Its first ball
ends at a linear network's boundary itself, where rounding decides: of 64 images of a linear network
(linf, 100 steps) 52 were misclassified by more; here all. And it measures the nearest point after
the cut to [0, 1], by which the next ball is too small where the box binds: of 20 images with half
their pixels at an edge (l2, linear, 500 steps, all targets) one ended 4.7 times as far as the least
distance; here, where the ball keeps the size that it had before the cut, 1.001 times.

Known bias: without targets it follows the likeliest wrong class, which need not be the nearest: on
a LeNet-5 (digits, 35 images, linf, 30 steps) one image in ten ended 1.3 times as far as the least
distance known; with 9 targets of 20 steps, at 1.008 times.
"""

import math

import torch
from pydantic import PositiveInt
from torch import Generator, Tensor, nn

from robustinfo.attacks._frozen import frozen
from robustinfo.attacks._fused_batchnorm import fold_batchnorm
from robustinfo.attacks._planes import dual_norm
from robustinfo.attacks._success import clearly_fooled, keep_successes
from robustinfo.core.settings import Fraction01, Norm, Pixels, PositiveNumber, Settings
from robustinfo.maths.balls import distance, projected
from robustinfo.maths.margin import margin, wrong_classes

ROLE = "iterated"
LAST_STEP, LAST_GAMMA = 0.01, 0.001  # a share of step_size; gamma in the last step
STABLE = 1e-12  # added to the norm of a gradient, to divide by


class Config(Settings):
    norm: Norm = "linf"
    epsilon: Pixels | None = None  # None: any perturbation counts
    steps: PositiveInt = 100
    step_size: PositiveNumber = 1.0  # l2 length of the first step
    gamma: Fraction01 = 0.05  # share by which a ball grows or shrinks, first
    targets: PositiveInt | None = None  # likeliest wrong classes; None: untargeted


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Attack x, (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, and lies within epsilon if there is one; a failure
    returns its x. Of fewer wrong classes than ``targets`` all are tried.
    """
    with frozen(model):
        x_adv = _nearest(fold_batchnorm(model, x), x.detach(), y, config)
    x_adv = projected(x, x_adv, config.norm, config.epsilon)
    return keep_successes(model, x, y, x_adv, norm=config.norm, epsilon=config.epsilon)


@torch.no_grad()
def _nearest(network: nn.Module, x: Tensor, y: Tensor, config: Config) -> Tensor:
    """The nearest misclassified images of all runs, like x; x where there is none."""
    nearest, smallest = x.clone(), torch.full_like(x.flatten(1)[:, 0], torch.inf)
    ranked = wrong_classes(network(x), y)
    aims = [None] if config.targets is None else ranked[:, : config.targets].unbind(1)
    for aim in aims:
        found, size = _run(network, x, y, aim, config)
        closer = size < smallest
        nearest[closer], smallest[closer] = found[closer], size[closer]
    return nearest


def _run(
    network: nn.Module, x: Tensor, y: Tensor, aim: Tensor | None, config: Config
) -> tuple[Tensor, Tensor]:
    """The nearest misclassified images of one run, like x, and their distances, (n,), or inf.

    aim: (n,) classes; None: the likeliest wrong one at every step.
    """
    norm, at, nearest = config.norm, x.clone(), x.clone()
    smallest = torch.full_like(x.flatten(1)[:, 0], torch.inf)
    # Of each image's ball; of the perturbation before the cut to [0, 1], and of the nearest one.
    radius, reach, nearest_reach = smallest, torch.zeros_like(smallest), smallest.clone()
    for step in range(config.steps):
        fall = (1 + math.cos(math.pi * step / config.steps)) / 2
        length = config.step_size * (LAST_STEP + (1 - LAST_STEP) * fall)
        gamma = LAST_GAMMA + (config.gamma - LAST_GAMMA) * fall
        wrong, gap, gradient = _climb(network, at, y, aim)
        size = distance(at - x, norm)
        closer = wrong & (size < smallest)
        nearest[closer], smallest[closer] = at[closer], size[closer]
        nearest_reach[closer] = reach[closer]
        missing = gap.abs() / (dual_norm(gradient.flatten(1), norm) + STABLE)
        shrunk = torch.minimum(radius * (1 - gamma), nearest_reach)
        grown = torch.where(smallest.isfinite(), radius, reach + missing) * (1 + gamma)
        radius = torch.where(wrong, shrunk, grown)
        slope = gradient.flatten(1).norm(dim=1) + STABLE
        at = at + length * gradient / slope.view(-1, *[1] * (x.ndim - 1))
        reach = distance(at - x, norm).minimum(radius)
        at = projected(x, at, norm, radius)
    return nearest, smallest


@torch.enable_grad()
def _climb(
    network: nn.Module, at: Tensor, y: Tensor, aim: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Whether each image is misclassified, (n,) bool; how far the true logit is ahead of the class
    that is aimed at, (n,); and the gradient of the latter's lead, like at.
    """
    at = at.detach().requires_grad_()
    logits = network(at)
    if aim is None:
        gap = margin(logits, y)
    else:
        gap = (logits.gather(1, y[:, None]) - logits.gather(1, aim[:, None])).squeeze(1)
    (gradient,) = torch.autograd.grad(-gap.sum(), at)
    return clearly_fooled(logits.detach(), y), gap.detach(), gradient
