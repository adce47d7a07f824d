"""How much of a run is the network's own passes: what no way of writing an attack can save."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from benchmarks._machine import seconds


class Passes(NamedTuple):
    """Of the network, and of the copies that a run makes of it."""

    share: float  # of the run's time
    images: int  # that were asked about without a gradient
    with_gradient: int  # images that were asked about with one
    backward: int  # passes, each of all images of a batch


def passes(model: nn.Module, run: Callable[[], object], device: torch.device) -> Passes:
    """Of one run, each pass of which is timed."""
    spent: list[float] = []
    counts = [0, 0, 0]
    with _timed(type(model), spent, counts, device):
        whole = seconds(run, device)
    return Passes(sum(spent) / whole, *counts)


@contextmanager
def _timed(
    kind: type[nn.Module], spent: list[float], counts: list[int], device: torch.device
) -> Iterator[None]:
    """Passes of all networks of this kind take ``seconds`` of their own, and are counted."""
    plain, gradient = kind.forward, torch.autograd.grad

    def timed(run: Callable, *given: Any, **settings: Any) -> Any:
        found = []
        spent.append(seconds(lambda: found.append(run(*given, **settings)), device))
        return found[0]

    def forward(self: nn.Module, x: Tensor) -> Tensor:
        counts[x.requires_grad] += len(x)
        return timed(plain, self, x)

    def backward(*given: Any, **settings: Any) -> tuple[Tensor, ...]:
        counts[2] += 1
        return timed(gradient, *given, **settings)

    kind.forward, torch.autograd.grad = forward, backward  # type: ignore[method-assign]
    try:
        yield
    finally:
        kind.forward, torch.autograd.grad = plain, gradient  # type: ignore[method-assign]
