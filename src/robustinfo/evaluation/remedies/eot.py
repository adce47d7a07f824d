"""Randomised answers: expectation over transformation (EOT), judged by the majority of answers.

Athalye et al. (2018), arXiv 1802.00420, section 4.2: the gradient of a network that draws in its
forward pass is averaged over draws, here over 20, then over 40 and 80, until more break no more.
PGD on the cross-entropy and on the margin, with steps that fall to 0, from a random start; of the
image itself and both ends the one whose mean logits come nearest to an error. The gradient passes
through what has none as in _straight_through.py.

Known bias: stationary draws. A network that remembers what it was asked is not averaged away.
"""

from collections.abc import Iterator
from functools import partial

import torch
from torch import Generator, Tensor, nn

from robustinfo.attacks import gradient_search, pgd
from robustinfo.attacks._objectives import OBJECTIVES, Loss
from robustinfo.evaluation.cost import Cost
from robustinfo.evaluation.remedies import GRADIENTS, Attempt, Subject
from robustinfo.evaluation.remedies._straight_through import differentiable
from robustinfo.evaluation.sizes import Size
from robustinfo.evaluation.threats import Ball
from robustinfo.maths.margin import margin

CALLED_BY = ("forwards_differ_fraction",)
ACCESS = (GRADIENTS,)
RANDOMISED = True
UNTIL_FLAT = True
STEPS = 40
DRAWS = (20, 40, 80)
LOSSES = ("cross_entropy", "margin")


def cost(size: Size, ball: Ball) -> Cost:
    """Every loss at every number of draws."""
    return Cost(len(LOSSES) * STEPS * sum(DRAWS), (len(LOSSES) + 1) * sum(DRAWS))


def attempts(subject: Subject, *, generator: Generator) -> Iterator[Attempt]:
    """Runs whose gradients are means of more and more draws."""
    network = (*differentiable(subject.network, subject.images[:1]), subject.network)[0]
    settings = gradient_search.Config(**subject.in_ball, steps=STEPS)
    config = gradient_search.ascent(settings)
    for draws in DRAWS:
        yield partial(_nearest, network, config, draws, generator)


def expected(loss: Loss, draws: int) -> Loss:
    """The mean of a loss, and of the logits, over so many forward passes."""

    def mean(network: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        passes = [loss(network, x, y) for _ in range(draws)]
        logits, totals = (torch.stack([*one]).mean(0) for one in zip(*passes, strict=True))
        return logits, totals

    return mean


def _nearest(
    network: nn.Module,
    config: gradient_search.Ascent,
    draws: int,
    generator: Generator,
    x: Tensor,
    y: Tensor,
) -> Tensor:
    """Of each image the candidate whose mean logits come nearest to an error. Like x."""
    losses = [expected(OBJECTIVES[name], draws) for name in LOSSES]
    ends = [
        pgd.craft(network, x, y, config=config, generator=generator, loss=loss) for loss in losses
    ]
    with torch.no_grad():
        leads = [-margin(_mean_logits(network, one, draws), y) for one in (x, *ends)]
    best = torch.stack(leads).argmax(0)
    return torch.stack([x, *ends])[best, torch.arange(len(y), device=y.device)]


def _mean_logits(network: nn.Module, x: Tensor, draws: int) -> Tensor:
    return torch.stack([network(x) for _ in range(draws)]).mean(0)
