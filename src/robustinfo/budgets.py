"""The largest protocol that fits into a budget of time, found from the time of one batch.

What an image costs in passes is known before, and an upper bound, as images leave an attack once
they have fallen; what a pass takes is measured, and other work on the machine may lengthen it.
"""

import math
import statistics
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from robustinfo.attacks._climbable import Climbable
from robustinfo.faults import Fault
from robustinfo.protocols import CURVE_STEPS, PATH, SIZES, Ball, Size

RUNS = 5  # that are timed
OVERHEAD = 1e-3  # seconds of a step, however few the images


class Cost(NamedTuple):
    """What the time depends on beside the protocol and the network."""

    images: int  # that are there
    networks: int = 1  # 2 with a twin
    term: bool = False  # whether there is an adaptive attack


def passes(size: Size, ball: Ball, *, term: bool = False) -> tuple[float, float]:
    """At most so many gradients, and forward passes alone, per image of the protocol.

    term: whether the adaptive attack is made, too.
    """
    climb = size.restarts * (size.steps + 1)
    gradients = 2 * climb + 5 * climb + max(PATH, size.steps) + 6 * CURVE_STEPS + 20
    gradients += 2 * climb * size.planted / size.images
    queries = size.draws + size.queries + 120 + 2 * 410 * size.planted / size.images
    # HopSkipJump asks 100 sqrt(t) labels at step t, and some more to begin and to bisect.
    queries += sum(100 * math.sqrt(t + 1) + 40 for t in range(size.walk)) + 100
    if term:
        gradients += climb
    if ball.norm == "l2":
        gradients += 4 * size.steps
    if size.ensemble:
        gradients += 100 + 9 * 100 + 2 * 9 * 100  # APGD, its targets, and FAB's
        queries += 5000 + 1000  # Square, and what the others look at
    return gradients, queries


def seconds_each(model: nn.Module, x: Tensor) -> tuple[float, float]:
    """What an image of the batch x costs, with its gradient and without; of frozen weights."""

    network = Climbable(model).eval()

    def gradient() -> None:
        at = x.clone().requires_grad_()
        torch.autograd.grad(network(at).sum(), at)

    def query() -> None:
        with torch.no_grad():
            network(x)

    return _seconds(gradient, x) / len(x), _seconds(query, x) / len(x)


def _seconds(once: Callable[[], None], x: Tensor) -> float:
    """The median of some runs: the first is slow, and others may be disturbed."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        once()
        if x.is_cuda:
            torch.cuda.synchronize(x.device)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def estimates(each: tuple[float, float], ball: Ball, cost: Cost) -> Iterator[tuple[Size, float]]:
    """(size, seconds) of every size, the smallest first."""
    for size in SIZES:
        gradients, queries = passes(size, ball, term=cost.term)
        images = min(size.images, cost.images)
        seconds = images * (gradients * each[0] + queries * each[1])
        yield size, cost.networks * (seconds + OVERHEAD * (gradients + queries))


def largest(each: tuple[float, float], ball: Ball, budget: float, cost: Cost) -> tuple[Size, float]:
    """The largest size that fits into ``budget`` seconds, and its estimate.

    Raises Fault if none does.
    """
    all_sizes = list(estimates(each, ball, cost))
    fitting = [(size, seconds) for size, seconds in all_sizes if seconds <= budget]
    if not fitting:
        size, least = all_sizes[0]
        raise Fault(
            f"no protocol fits into {budget:.0f} s: the smallest, {size.name}, takes about "
            f"{least:.0f} s here; try again with --budget {math.ceil(1.2 * least)}s"
        )
    return fitting[-1]
