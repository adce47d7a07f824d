"""The l2 attack of Carlini and Wagner (2017), arXiv 1608.04644: the smallest perturbation it finds.

minimise |x' - x|_2^2 + c max(f_y(x') - max_{i != y} f_i(x') + confidence, 0) in tanh space by
Adam, with a binary search for c per image. foolbox's defaults are 9 searches of 10,000 steps.

The loop is foolbox's: a search ends when the sum of the batch's objectives has not fallen by a
ten-thousandth in a tenth of the steps, and from 10 searches on the last one repeats the best c. It
runs on a folded copy of the network (see _fused_batchnorm.py), and computes gradients of correctly
classified images alone: at the others the second term is 0.
"""

from typing import Any, Literal

import torch
from pydantic import PositiveInt
from torch import Generator, Tensor, nn

from robustinfo.attacks._frozen import frozen
from robustinfo.attacks._fused_batchnorm import fold_batchnorm
from robustinfo.attacks._success import keep_successes
from robustinfo.core.settings import Number, Pixels, PositiveNumber, Settings
from robustinfo.maths.balls import distance, projected
from robustinfo.maths.margin import margin

ROLE = "iterated"
COUNTS = ("with_black",)  # of successes, in other ways
INSIDE = 0.999999  # of [-1, 1], of which all of tanh space is the inside
CHECKS = 10  # of a search, whether it has come further
BETAS = 0.9, 0.999  # Adam's, as published
PROGRESS = 0.9999  # of the last check's objective; more is none


class Config(Settings):
    norm: Literal["l2"] = "l2"
    epsilon: Pixels | None = None  # None: any perturbation counts
    binary_search_steps: PositiveInt = 9  # searches for the constant
    steps: PositiveInt = 10_000
    step_size: PositiveNumber = 0.01  # Adam's learning rate in tanh space
    confidence: Number = 0.0  # margin in logits that is asked for
    initial_const: PositiveNumber = 1e-3  # weight of the margin beside the distance, first


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Attack x, (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success was found by the attack, is misclassified, was correct, and lies within epsilon if
    there is one. A failure returns its x.
    """
    return perturb_with_extras(model, x, y, config=config, generator=generator)[:2]


def perturb_with_extras(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """``perturb``, and ``with_black``, (n,) bool: success as foolbox would count it.

    Where the attack fails, foolbox returns a black image; the bracketed figures of arXiv
    2008.03072 (tables III, IV) count it if the model does not assign black to the label.
    """
    with frozen(model):
        nearest, found = _searched(fold_batchnorm(model, x), x.detach(), y, config)
    _, fools = keep_successes(model, x, y, torch.zeros_like(x), norm=config.norm, epsilon=None)
    ball: dict[str, Any] = {"norm": config.norm, "epsilon": config.epsilon}
    x_adv, success = keep_successes(
        model, x, y, projected(x, nearest, **ball), **ball, claimed=found
    )
    return x_adv, success, {"with_black": success | (~found & fools)}


@torch.no_grad()
def _searched(network: nn.Module, x: Tensor, y: Tensor, config: Config) -> tuple[Tensor, Tensor]:
    """The nearest misclassified images over all c, like x; and whether there is one, (n,) bool."""
    nearest, smallest = x.clone(), torch.full_like(y, torch.inf, dtype=x.dtype)
    low, high = torch.zeros_like(smallest), smallest.clone()
    c = torch.full_like(smallest, config.initial_const)
    for search in range(1, config.binary_search_steps + 1):
        if search == config.binary_search_steps >= 10:
            c = high.clamp(max=1e10)
        found, size = _descended(network, x, y, c, config)
        closer = size < smallest
        nearest[closer], smallest[closer] = found[closer], size[closer]
        low, high = torch.where(size.isfinite(), low, c), torch.where(size.isfinite(), c, high)
        c = torch.where(high.isfinite(), (low + high) / 2, 10 * c)
    return nearest, smallest.isfinite()


def _descended(
    network: nn.Module, x: Tensor, y: Tensor, c: Tensor, config: Config
) -> tuple[Tensor, Tensor]:
    """One search: the nearest misclassified images, like x, and their distances, (n,), or inf."""
    space = ((2 * x - 1) * INSIDE).arctanh()
    back, delta, moments = space.tanh() / 2 + 0.5, torch.zeros_like(x), x.new_zeros(2, *x.shape)
    found, smallest, lead = x.clone(), torch.full_like(c, torch.inf), torch.zeros_like(c)
    last_objective = c.new_tensor(torch.inf)
    for step in range(config.steps):
        tanh = (space + delta).tanh()
        at = tanh / 2 + 0.5
        lead, gradient = _hinge(network, at, y, c, config.confidence, lead)
        gradient = (gradient + 2 * (at - back)) * (1 - tanh.square()) / 2
        delta -= config.step_size * _adam(moments, gradient, step + 1)
        if step % -(-config.steps // CHECKS) == 0:
            objective = (c * lead.clamp(min=0)).sum() + (at - back).square().sum()
            if not objective <= PROGRESS * last_objective:
                break
            last_objective = objective
        size = distance(at - x, "l2")
        closer = (lead < 0) & (size < smallest)
        found[closer], smallest[closer] = at[closer], size[closer]
    return found, smallest


def _hinge(
    network: nn.Module, at: Tensor, y: Tensor, c: Tensor, confidence: float, last: Tensor
) -> tuple[Tensor, Tensor]:
    """Margin plus confidence, (n,), and the gradient of c max(it, 0), like at.

    last: (n,) the last step's. Where it was below 0, and most likely is again, it is computed
    without a gradient first.
    """
    lead, gradient = last.clone(), torch.zeros_like(at)
    if (below := last < 0).any():
        lead[below] = margin(network(at[below]), y[below]) + confidence
    if len(rows := (lead >= 0).nonzero().squeeze(1)):
        with torch.enable_grad():
            above = at[rows].requires_grad_()
            value = margin(network(above), y[rows]) + confidence
            total = (c[rows] * value.clamp(min=0)).sum()
        lead[rows], gradient[rows] = value.detach(), torch.autograd.grad(total, above)[0]
    return lead, gradient


def _adam(moments: Tensor, gradient: Tensor, t: int) -> Tensor:
    """The direction of step t, like the gradient; the moments, (2, ...), are updated."""
    mean, square = moments
    mean.lerp_(gradient, 1 - BETAS[0])
    square.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
    return (mean / (1 - BETAS[0] ** t)) / ((square / (1 - BETAS[1] ** t)).sqrt() + 1e-8)
