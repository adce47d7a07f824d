"""No gradient at all: a small copy, fitted to the network's answers, lends its gradient.

Papernot et al. (2017), arXiv 1602.02697: a substitute learns what the network answers around the
images, and on the points that attacks on it reach, round after round. Here it is more than a source
of transfers: at every step of the search the network itself answers, and the copy is its backward
pass (BPDA with a fitted stand-in; Athalye et al. 2018, arXiv 1802.00420).

Known bias: the copy is small, and knows the network around these images alone.
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from robustinfo.attacks import gradient_search, pgd
from robustinfo.attacks._frozen import seeded
from robustinfo.attacks._objectives import OBJECTIVES
from robustinfo.core.batches import CACHE_BATCH
from robustinfo.evaluation.cost import Cost
from robustinfo.evaluation.remedies import ANSWERS, GRADIENTS, Attempt, Subject
from robustinfo.evaluation.remedies._straight_through import with_value
from robustinfo.evaluation.sizes import Size
from robustinfo.evaluation.threats import Ball
from robustinfo.maths.balls import distance, projected, uniform

CALLED_BY = (
    "flat_fraction", "no_gradient_fraction", "never_rises_fraction", "gradient_attacks",
)  # fmt: skip
ACCESS = (GRADIENTS, ANSWERS)
RANDOMISED = True
UNTIL_FLAT = False
ROUNDS = 3
POINTS = 8  # of each image's ball that the network is asked at, in the first round
EPOCHS = 10  # of a round
STEPS = 25


def cost(size: Size, ball: Ball) -> Cost:
    """Queries of the network, and the copy's gradients, as if they were the network's."""
    search = len(gradient_search.LOSSES) * (STEPS + 1)
    fit = EPOCHS * (1 + POINTS + ROUNDS)
    return Cost(ROUNDS * (fit + search + STEPS), 1 + POINTS + ROUNDS * (2 + search))


class Copy(nn.Sequential):
    """Two convolutions and two linear layers, for images of any size."""

    def __init__(self, channels: int, classes: int) -> None:
        """channels: of the images."""
        super().__init__(
            nn.Conv2d(channels, 32, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.ReLU(),
            nn.AdaptiveAvgPool2d(4), nn.Flatten(),
            nn.Linear(1024, 128), nn.ReLU(), nn.Linear(128, classes),
        )  # fmt: skip


class StandIn(nn.Module):
    """The network's logits, with the gradient of the copy's."""

    def __init__(self, network: nn.Module, copy: nn.Module) -> None:
        """Both take images (n, c, h, w) to logits (n, K)."""
        super().__init__()
        self.network, self.copy = network, copy

    def forward(self, x: Tensor) -> Tensor:
        """x: (n, c, h, w) in [0, 1] -> (n, K)."""
        with torch.no_grad():
            logits = self.network(x.detach())
        return with_value(self.copy(x), logits) if x.requires_grad else logits


def attempts(subject: Subject, *, generator: Generator) -> Iterator[Attempt]:
    """A search after every round of fitting."""
    images, ball = subject.images, subject.ball
    points = [images]
    with seeded(images, generator):
        copy = Copy(images.shape[1], subject.network(images[:1]).shape[1]).to(images.device)
        for number in range(POINTS):  # half of them at corners of the ball
            drawn = uniform(images, ball.norm, ball.epsilon)
            if number % 2:
                drawn = images + ball.epsilon * _direction(drawn - images, ball.norm)
            points.append(projected(images, drawn, ball.norm, ball.epsilon))
    asked = torch.cat(points)
    answers = _answers(subject.network, asked)
    config = gradient_search.Config(**subject.in_ball, steps=STEPS, restarts=0)

    def attempt(x: Tensor, y: Tensor) -> Tensor:
        nonlocal asked, answers
        _fit(copy, asked, answers, generator)
        x_adv, _ = gradient_search.perturb(
            StandIn(subject.network, copy), x, y, config=config, generator=generator
        )
        ends = pgd.craft(
            copy, x, y, config=gradient_search.ascent(config), generator=generator,
            loss=OBJECTIVES["margin"],
        )  # fmt: skip
        asked = torch.cat([asked, ends])
        answers = torch.cat([answers, _answers(subject.network, ends)])
        return x_adv

    for _ in range(ROUNDS):
        yield attempt


def _direction(delta: Tensor, norm: str) -> Tensor:
    if norm == "linf":
        return delta.sign()
    return delta / distance(delta, norm).clamp(min=1e-12).view(-1, 1, 1, 1)


@torch.no_grad()
def _answers(network: nn.Module, x: Tensor) -> Tensor:
    """Probabilities (n, K); of logits over their deviation, so that no scale hides the others."""
    parts = [network(part) for part in x.split(CACHE_BATCH)]
    logits = torch.cat(parts)
    return (3 * logits / logits.std(1, keepdim=True).clamp(min=1e-12)).softmax(1)


def _fit(copy: nn.Module, x: Tensor, answers: Tensor, generator: Generator) -> None:
    """Adam on the Kullback-Leibler divergence from the network's answers, in place."""
    copy.train().requires_grad_(True)
    optimizer = torch.optim.Adam(copy.parameters(), 2e-3)
    with torch.enable_grad():
        for _ in range(EPOCHS):
            order = torch.randperm(len(x), generator=generator, device=x.device)
            for rows in order.split(CACHE_BATCH):
                optimizer.zero_grad()
                told = copy(x[rows]).log_softmax(1)
                F.kl_div(told, answers[rows], reduction="batchmean").backward()
                optimizer.step()
    copy.eval().requires_grad_(False)
