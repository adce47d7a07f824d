"""ZOO-Adam: the l2 attack of Carlini and Wagner without gradients, by finite differences.

Chen et al. (2017), arXiv 1708.03999, untargeted:
    minimise |x' - x|_2^2 + c m(x'),   m = max(log p_y - max_{i != y} log p_i + confidence, 0),
over x' in [0, 1], with a binary search for c per image. A step asks for m at x' +- difference in
each of ``coordinates`` values of the image, drawn at random, and moves these by Adam, whose moments
and clock are each value's own; the way back into [0, 1] is a cut. The square is differentiated
exactly. A search whose objective has not fallen for ``patience`` steps ends. On MNIST the paper has
9 searches of 3,000 steps, on CIFAR-10 of 1,000. It also has a smaller space of attack, grown step
by step, and importance sampling, both for larger images: they are not here.

The paper's difference is 1e-4. In float32, in which networks here compute, m is then coarse: on a
trained LeNet-5 the gradient is off by 2.6 % (median over images, in l2), by 0.75 % at 1e-3, and by
3.1 % at 1e-2, where kinks of the network lie between the two points. In float64 1e-4 would be all
but exact, 1e-3 no better (0.70 %), and either would take four times as long.

Known bias: with few steps the perturbation found is not the smallest: on that network 3 searches of
200 steps from c = 1 turned 19 of 19 images at a median l2 distance of 1.36. The network is also
asked just outside [0, 1].
"""

from collections.abc import Callable
from typing import Literal

import torch
from pydantic import PositiveInt
from torch import Generator, Tensor, nn

from robustinfo.attacks._frozen import frozen
from robustinfo.attacks._success import keep_successes, rounding_error
from robustinfo.core.settings import Number, Pixels, PositiveNumber, Settings
from robustinfo.maths.margin import margin

ROLE = "black_box"
AT_ONCE = 4096  # images in one forward pass
BETAS = 0.9, 0.999  # Adam's, as published

# ((m, d) images, (m,) which of the attacked ones they are) -> (m,), at least 0, and 0 if it fools.
Margin = Callable[[Tensor, Tensor], Tensor]


class Config(Settings):
    norm: Literal["l2"] = "l2"
    epsilon: Pixels | None = None  # None: any perturbation counts
    binary_search_steps: PositiveInt = 9  # searches for the constant
    steps: PositiveInt = 3_000
    step_size: PositiveNumber = 0.01  # Adam's learning rate
    coordinates: PositiveInt = 128  # that are estimated at each step
    difference: PositiveNumber = 1e-3  # of the symmetric difference quotient, in pixel values
    confidence: Number = 0.0  # margin in logits that is asked for
    initial_const: PositiveNumber = 0.01  # weight of the margin beside the distance, first
    patience: PositiveInt = 100  # steps without progress after which a search ends


@torch.no_grad()
def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Attack x, (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, and lies within epsilon if there is one; a failure
    returns its x.
    """
    x_adv = x.clone()
    with frozen(model):
        left = (model(x).argmax(1) == y).nonzero().squeeze(1)
        if len(left):
            lead = _margin(model, y[left], x.shape[1:], config.confidence)
            found = _binary_search(lead, x[left].flatten(1), config, generator)
            x_adv[left] = found.view_as(x[left])
    return keep_successes(model, x, y, x_adv, norm=config.norm, epsilon=config.epsilon)


def _margin(model: nn.Module, y: Tensor, shape: torch.Size, confidence: float) -> Margin:
    """The hinge of the margin, 0 where misclassified beyond rounding, by ``confidence``.

    Differences of log-probabilities are those of logits.
    """

    def lead(x: Tensor, which: Tensor) -> Tensor:
        logits = torch.cat([model(part) for part in x.view(-1, *shape).split(AT_ONCE)])
        return (margin(logits, y[which]) + rounding_error(logits) + confidence).clamp(min=0)

    return lead


def margin_gradients(
    margin: Margin, x: Tensor, which: Tensor, at: Tensor, difference: float
) -> Tensor:
    """The margins' derivatives by the values ``at`` (m, k) of the images x (m, d): (m, k)."""
    found = []
    images = max(1, AT_ONCE // (2 * at.shape[1]))
    for a, w, i in zip(x.split(images), which.split(images), at.split(images), strict=True):
        nudge = a.new_zeros(*i.shape, x.shape[1]).scatter_(2, i[:, :, None], difference)
        both = torch.stack([a[:, None] + nudge, a[:, None] - nudge])  # (2, m, k, d)
        values = margin(both.flatten(0, 2), w[:, None].expand_as(i).repeat(2, 1).flatten())
        above, below = values.view(2, *i.shape)
        found.append((above - below) / (2 * difference))
    return torch.cat(found)


def _binary_search(margin: Margin, x: Tensor, config: Config, generator: Generator) -> Tensor:
    """The nearest adversarial images over all c; x where there is none. Like x: (n, d)."""
    nearest, least = x.clone(), x.new_full((len(x),), torch.inf)
    low, high = torch.zeros_like(least), least.clone()
    c = torch.full_like(least, config.initial_const)
    for _ in range(config.binary_search_steps):
        found, size = _minimised(margin, x, c, config, generator)
        closer = size < least
        nearest[closer], least[closer] = found[closer], size[closer]
        low, high = torch.where(size.isfinite(), low, c), torch.where(size.isfinite(), c, high)
        c = torch.where(high.isfinite(), (low + high) / 2, 10 * c)
    return nearest


def _minimised(
    margin: Margin, x: Tensor, c: Tensor, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """One search: the nearest adversarial images, (n, d), and their squared distances, or inf."""
    n, d = x.shape
    left = torch.arange(n, device=x.device)
    x_adv, found, least = x.clone(), x.clone(), x.new_full((n,), torch.inf)
    moments, clock = x.new_zeros(2, n, d), x.new_zeros(n, d)
    last_objective = c * margin(x, left)
    for step in range(1, config.steps + 1):
        draw = torch.rand(len(left), d, generator=generator, device=generator.device)
        at = draw.topk(min(config.coordinates, d)).indices.to(x.device)
        row = left[:, None]
        slope = c[row] * margin_gradients(margin, x_adv[left], left, at, config.difference)
        slope += 2 * (x_adv[row, at] - x[row, at])
        clock[row, at] += 1
        moved = x_adv[row, at] - config.step_size * _adam(moments, clock, row, at, slope)
        x_adv[row, at] = moved.clamp(0, 1)

        margins, size = margin(x_adv[left], left), (x_adv[left] - x[left]).square().sum(1)
        better = (margins == 0) & (size < least[left])
        found[left[better]], least[left[better]] = x_adv[left[better]], size[better]
        if step % config.patience == 0:
            objective = size + c[left] * margins
            improves = (
                objective <= 0.9999 * last_objective[left]
            )  # the share is the published code's
            last_objective[left] = objective
            left = left[improves]
            if not len(left):
                break
    return found, least


def _adam(moments: Tensor, clock: Tensor, row: Tensor, at: Tensor, slope: Tensor) -> Tensor:
    """Adam's direction at (row, at); updates the moments (2, n, d) by the gradient ``slope``."""
    mean, square = moments
    t = clock[row, at]
    mean[row, at] = BETAS[0] * mean[row, at] + (1 - BETAS[0]) * slope
    square[row, at] = BETAS[1] * square[row, at] + (1 - BETAS[1]) * slope.square()
    unbiased = mean[row, at] / (1 - BETAS[0] ** t), square[row, at] / (1 - BETAS[1] ** t)
    return unbiased[0] / (unbiased[1].sqrt() + 1e-8)
