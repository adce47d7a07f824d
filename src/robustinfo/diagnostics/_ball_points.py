"""Random points of the ball around each image, at which a network is evaluated."""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor, nn

from robustinfo.maths.balls import projected, spread

COUNT = 8
ROUNDING = 1e-5  # of the largest logit: a smaller variation counts as none


def ball_points(x: Tensor, norm: str, epsilon: float, generator: Generator) -> Iterator[Tensor]:
    """COUNT random points, like x (n, c, h, w), in the ball around x and at its edge in turn.

    Every second one is at the edge, the others are at all distances; all are moved to [0, 1].
    """
    for number in range(COUNT):
        edge = number % 2 == 1
        around = spread(x, norm, epsilon, edge=edge, generator=generator)
        yield projected(x, around, norm, epsilon)


def logits_differ(logits: Tensor, others: Tensor) -> Tensor:
    """Whether two sets of logits (n, K) differ by more than rounding, (n,) bool; NaN does."""
    size = torch.maximum(logits.abs(), others.abs()).amax(1)
    return ~((logits - others).abs().amax(1) <= ROUNDING * size)


@torch.no_grad()
def varies(
    network: nn.Module, x: Tensor, *, norm: str, epsilon: float, generator: Generator
) -> Tensor:
    """Whether the logits differ between x and any of COUNT points of the ball, (n,) bool."""
    varying, logits = torch.zeros(len(x), dtype=torch.bool, device=x.device), network(x)
    for point in ball_points(x, norm, epsilon, generator):
        varying |= logits_differ(logits, network(point))
    return varying
