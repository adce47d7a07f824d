"""Shattered gradients: the mean gradient of points around the iterate.

Athalye et al. (2018), arXiv 1802.00420, and Tramer et al. (2020), arXiv 2002.08347, section 5, on
k-winners-take-all: where the loss is ragged its gradient at a point says little of its course, and
the mean over a neighbourhood does. PGD on the margin, whose gradient is the mean over normal noise
of a quarter and of half of epsilon per pixel (in l2 and l1, of all together), cut to [0, 1], with
steps that fall to 0.
"""

from collections.abc import Iterator
from functools import partial

import torch
from torch import Generator, Tensor, nn

from robustinfo.attacks import gradient_search, pgd
from robustinfo.attacks._objectives import OBJECTIVES, Loss
from robustinfo.core.settings import diameter
from robustinfo.evaluation.cost import Cost
from robustinfo.evaluation.remedies import GRADIENTS, Attempt, Subject
from robustinfo.evaluation.sizes import Size
from robustinfo.evaluation.threats import Ball

CALLED_BY = (
    "black_box_only_fraction", "noise_only_fraction", "single_step_only_fraction",
    "short_search_fraction", "never_rises_fraction",
)  # fmt: skip
ACCESS = (GRADIENTS,)
RANDOMISED = False
UNTIL_FLAT = False
STEPS, POINTS = 40, 10
RADII = (0.25, 0.5)  # epsilons


def cost(size: Size, ball: Ball) -> Cost:
    """A run at each radius."""
    return Cost(len(RADII) * STEPS * POINTS, len(RADII) * (STEPS + 5))


def attempts(subject: Subject, *, generator: Generator) -> Iterator[Attempt]:
    """A run at each radius."""
    settings = gradient_search.Config(**subject.in_ball, steps=STEPS)
    config = gradient_search.ascent(settings).model_copy(update={"restarts": 1})

    def attempt(loss: Loss, x: Tensor, y: Tensor) -> Tensor:
        return pgd.search(
            subject.network, x, y, [loss], config=config, generator=generator, early_stop=True
        )[0]

    whole = diameter(subject.ball.norm, subject.images[0].numel())  # the norm of a change by 1
    for share in RADII:
        radius = share * subject.ball.epsilon / whole
        yield partial(attempt, around(OBJECTIVES["margin"], radius))


def around(loss: Loss, radius: float) -> Loss:
    """The logits (n, K) at x, and the mean loss of POINTS points around it.

    radius: the deviation of the noise, per pixel.
    """

    def mean(network: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            logits = network(x)
        points = ((x + radius * torch.randn_like(x)).clamp(0, 1) for _ in range(POINTS))
        return logits, torch.stack([loss(network, one, y)[1] for one in points]).mean()

    return mean
