"""Random points of the ball around each image, at which a network is evaluated."""

from collections.abc import Iterator, Sequence

import torch
from torch import Generator, Tensor, nn

from robustinfo.maths.balls import projected

COUNT = 8
ROUNDING = 1e-5  # of the largest logit: a smaller variation counts as none


def ball_points(x: Tensor, norm: str, epsilon: float, generator: Generator) -> Iterator[Tensor]:
    """COUNT random points, like x (n, c, h, w), in the ball around x and at its edge in turn.

    Every second one is a corner of the linf ball, or lies on the l2 sphere; the others are uniform
    in the cube, or in their distance from x. All are clipped to [0, 1].
    """
    single = (len(x), *[1] * (x.ndim - 1))
    for number in range(COUNT):
        edge = number % 2 == 1
        if norm == "linf":
            noise = 2 * _uniform(x.shape, x, generator) - 1
            noise = noise.sign() if edge else noise
        else:
            noise = torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
            noise /= noise.flatten(1).norm(dim=1).view(single)
            noise *= 1 if edge else _uniform(single, x, generator)
        yield projected(x, x + epsilon * noise, norm, epsilon)


def _uniform(shape: Sequence[int], like: Tensor, generator: Generator) -> Tensor:
    return torch.rand(shape, generator=generator, device=like.device, dtype=like.dtype)


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
