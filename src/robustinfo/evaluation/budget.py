"""The largest protocol that fits into a time budget, from the measured time of one batch.

The passes per image are known beforehand (protocol.py), mostly as an upper bound, since images
leave an attack at their first success; the time of a pass is measured, and other work on the
machine may lengthen it.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from robustinfo.attacks._gradient_safe import GradientSafe
from robustinfo.core.batches import memory_batch
from robustinfo.evaluation.cost import Cost
from robustinfo.evaluation.protocol import cost
from robustinfo.evaluation.sizes import SIZES, Size
from robustinfo.evaluation.threats import Ball

RUNS = 5  # that are timed
OVERHEAD = 1e-3  # seconds of a step, however few the images


class Task(NamedTuple):
    """The size of a judgement, beside the protocol and the network."""

    images: int  # that are there
    values: int  # of one image
    networks: int = 1  # 2 with a twin
    term: bool = False  # whether there is an adaptive attack
    asked: int | None = None  # number of images, whatever the protocol
    corruptions: bool | None = None  # whether there are common ones; None: as the protocol has it


def seconds_each(model: nn.Module, x: Tensor) -> tuple[float, float]:
    """Seconds per image of a batch x, with a gradient by x and without; weights are frozen."""
    network = GradientSafe(model).eval()

    def gradient() -> None:
        at = x.clone().requires_grad_()
        torch.autograd.grad(network(at).sum(), at)

    def query() -> None:
        with torch.no_grad():
            network(x)

    return _seconds(gradient, x) / len(x), _seconds(query, x) / len(x)


def _seconds(once: Callable[[], None], x: Tensor) -> float:
    """The median time of RUNS runs, as the first is slow and others may be disturbed.

    Each counts by the smaller of wall clock and processor time: other work on the machine lengthens
    the one, several threads the other.
    """
    times = []
    for _ in range(RUNS):
        start, cpu = time.perf_counter(), time.process_time()
        once()
        if x.is_cuda:
            torch.cuda.synchronize(x.device)
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
        times.append(wall if x.is_cuda else min(wall, cpu))
    return statistics.median(times)


def estimates(
    seconds_each: tuple[float, float], balls: Sequence[Ball], task: Task
) -> Iterator[tuple[Size, float]]:
    """(size, seconds) of every size, the smallest first: one evaluation in each ball."""
    for size in SIZES:
        images = min(task.asked or size.images, task.images)
        asked = size.with_corruptions(task.corruptions)
        every = [cost(asked, ball, task.values, images, term=task.term) for ball in balls]
        passes = sum(every, Cost())
        seconds = passes.gradients * seconds_each[0] + passes.queries * seconds_each[1]
        steps = sum(passes) / min(images, memory_batch(task.values))
        yield size, task.networks * (seconds + OVERHEAD * steps)


def duration(seconds: float) -> str:
    """``90 s``, ``12 min`` or ``3.5 h``."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def largest_size(
    seconds_each: tuple[float, float], balls: Sequence[Ball], budget: float, task: Task
) -> tuple[Size, float]:
    """The largest size that fits into ``budget`` seconds, or the smallest, and its estimate."""
    all_sizes = list(estimates(seconds_each, balls, task))
    fitting = [(size, seconds) for size, seconds in all_sizes if seconds <= budget]
    return fitting[-1] if fitting else all_sizes[0]
