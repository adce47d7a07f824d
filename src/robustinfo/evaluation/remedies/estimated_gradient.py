"""Answers alone: the gradient of the scores, estimated from them by natural evolution strategies.

Ilyas et al. (2018), arXiv 1804.08598: the mean over normal directions u of
u (L(x + sigma u) - L(x - sigma u)), here of the margin L, at 50 pairs of points a step, sigma such
that a change of all pixels by it is a quarter of epsilon long, cut to [0, 1]. PGD climbs it, with
steps that fall to 0, from x and from a random point.

Known bias: of d pixels, m pairs see a gradient at a cosine of about sqrt(m / (m + d)), so that more
pixels need more pairs. Labels have no slope: where nothing else is told, no step leads anywhere.
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor, nn

from robustinfo.attacks import gradient_search, pgd
from robustinfo.core.settings import diameter
from robustinfo.evaluation.cost import Cost
from robustinfo.evaluation.remedies import ANSWERS, Attempt, Subject
from robustinfo.evaluation.sizes import Size
from robustinfo.evaluation.threats import Ball
from robustinfo.maths.margin import margin

CALLED_BY = ("gradient_attacks",)
ACCESS = (ANSWERS,)
RANDOMISED = False
UNTIL_FLAT = False
STEPS, PAIRS, RESTARTS = 50, 50, 1  # and a run from x
RADIUS = 0.25  # epsilons


def cost(size: Size, ball: Ball) -> Cost:
    """Two queries a pair, and one a step to see whether it fools."""
    return Cost(0, (1 + RESTARTS) * (STEPS * (2 * PAIRS + 1) + 3))


def attempts(subject: Subject, *, generator: Generator) -> Iterator[Attempt]:
    """A run from x, and one from a random point."""
    settings = gradient_search.Config(**subject.in_ball, steps=STEPS, restarts=RESTARTS)
    config = gradient_search.ascent(settings)
    sigma = noise_size(subject.ball, subject.images[0].numel())

    def climbed(network: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        slope = estimated(network, x.detach(), y, sigma)
        with torch.no_grad():
            logits = network(x)
        return logits, (slope * x).sum()

    def attempt(x: Tensor, y: Tensor) -> Tensor:
        return pgd.search(
            subject.network, x, y, [climbed], config=config, generator=generator, early_stop=True,
            starts=[x],
        )[0]  # fmt: skip

    yield attempt


def noise_size(ball: Ball, values: int) -> float:
    """The standard deviation of the noise, per pixel.  values: of an image."""
    return RADIUS * ball.epsilon / diameter(ball.norm, values)


@torch.no_grad()
def estimated(network: nn.Module, x: Tensor, y: Tensor, sigma: float, pairs: int = PAIRS) -> Tensor:
    """The gradient of the margin, the best wrong score minus the true one; like x, (n, c, h, w).

    y: (n,) labels. sigma: of the normal noise, per pixel. It is that of the margin's mean over it.
    """
    slope = torch.zeros_like(x)
    for _ in range(pairs):
        u = torch.randn_like(x)
        above, below = ((x + side * sigma * u).clamp(0, 1) for side in (1, -1))
        rise = margin(network(below), y) - margin(network(above), y)
        slope += rise.view(-1, *[1] * (x.ndim - 1)) * u
    return slope / (2 * sigma * pairs)
