"""Attempts, one after another, each on the images that still stand: no attempt loses an image.

What is random is drawn for all images, so that those that leave change nothing for those that stay.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import torch
from torch import Generator, Tensor

from robustinfo.attacks._frozen import seeded

T = TypeVar("T")
# rows (m,) of the images -> images (m, ...), and (m,) bool each: which of them are kept, and which
# need no further attempt.
Attempt = Callable[[Tensor], tuple[Tensor, Tensor, Tensor]]


def run_attempts(
    x: Tensor, unbroken: Tensor, attempts: Iterable[Attempt]
) -> tuple[Tensor, Tensor, Tensor]:
    """x_adv, like x, the last that was kept; whether one was; and who stands in the end, (n,) bool.

    stands: (n,) bool, who is attacked. All attempts are drawn from ``attempts``, although nobody
    may be left, so that random numbers go on as if there were.
    """
    x_adv, success, unbroken = x.clone(), torch.zeros_like(unbroken), unbroken.clone()
    for attempt in attempts:
        rows = unbroken.nonzero().squeeze(1)
        if not len(rows):
            continue
        candidates, accepted, done = attempt(rows)
        x_adv[rows[accepted]], success[rows[accepted]] = candidates[accepted], True
        unbroken[rows[done]] = False
    return x_adv, success, unbroken


def losses_and_starts(
    x: Tensor,
    losses: Sequence[T],
    draw: Callable[[], Tensor],
    starts: Sequence[Tensor],
    restarts: int,
    generator: Generator,
) -> Iterator[tuple[T, Tensor]]:
    """All of ``climbs`` from each of the starts, like x, and then from as many as are drawn.

    All have the same ones, so that what one finds beyond another is not its luck, and the generator
    goes on as if there were one.
    """
    before = generator.clone_state()
    for number, loss in enumerate(losses):
        draws = before.clone_state() if number else generator
        yield from ((loss, start) for start in starts)
        for _ in range(restarts):
            with seeded(x, draws):
                start = draw()
            yield loss, start
