"""Restarts: one attempt after another, each on the images that none before has broken.

PGD's random starts are drawn for all images, so that broken images change nothing for the others.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import torch
from torch import Generator, Tensor

from robustinfo.attacks._frozen import seeded

T = TypeVar("T")
# rows (m,) of the images -> candidates (m, ...), and (m,) bool each: which of these become x_adv,
# and which images need no further attempt.
Attempt = Callable[[Tensor], tuple[Tensor, Tensor, Tensor]]


def run_attempts(
    x: Tensor, unbroken: Tensor, attempts: Iterable[Attempt]
) -> tuple[Tensor, Tensor, Tensor]:
    """x_adv, like x, the last accepted candidate; whether there is one; what is still unbroken.

    unbroken: (n,) bool, the images to attack. The iterable is exhausted even when no image is left,
    so that what it draws goes on as if there were.
    """
    x_adv, success, unbroken = x.clone(), torch.zeros_like(unbroken), unbroken.clone()
    for attempt in attempts:
        rows = unbroken.nonzero().squeeze(1)
        if not len(rows):
            continue
        candidates, accepted, finished = attempt(rows)
        x_adv[rows[accepted]], success[rows[accepted]] = candidates[accepted], True
        unbroken[rows[finished]] = False
    return x_adv, success, unbroken


def losses_and_starts(
    x: Tensor,
    losses: Sequence[T],
    draw: Callable[[], Tensor],
    starts: Sequence[Tensor],
    restarts: int,
    generator: Generator,
) -> Iterator[tuple[T, Tensor]]:
    """Every loss with each of the given starts, like x, then with ``restarts`` random ones.

    All losses share the same random starts, so that differences between them are not luck; the
    generator advances as if there were one loss.
    """
    state_before = generator.clone_state()
    for number, loss in enumerate(losses):
        draws = state_before.clone_state() if number else generator
        yield from ((loss, start) for start in starts)
        for _ in range(restarts):
            with seeded(x, draws):
                start = draw()
            yield loss, start
