"""How far a long stage is: a bar with the time left on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.progress import track

T = TypeVar("T")


def followed(steps: Iterable[T], total: int, what: str) -> Iterator[T]:
    """The steps as they come, reported as they are done."""
    if sys.stdout.isatty():
        yield from track(steps, what, total)
        return
    start = time.monotonic()
    for done, step in enumerate(steps, 1):
        left = (time.monotonic() - start) / done * (total - done)
        print(f"{what} {done}/{total}, about {left:.0f} s left", flush=True)
        yield step
