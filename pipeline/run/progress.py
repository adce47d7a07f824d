"""Progress of a long stage: a bar with the time left on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.progress import track

T = TypeVar("T")


def with_progress(steps: Iterable[T], total: int, label: str) -> Iterator[T]:
    """Yield the steps, and report each when it is done."""
    if sys.stdout.isatty():
        yield from track(steps, label, total)
        return
    start = time.monotonic()
    for done, step in enumerate(steps, 1):
        seconds_left = (time.monotonic() - start) / done * (total - done)
        print(f"{label} {done}/{total}, about {seconds_left:.0f} s left", flush=True)
        yield step
