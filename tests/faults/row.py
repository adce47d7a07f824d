"""A row of the table of faults."""

from typing import NamedTuple


class Row(NamedTuple):
    """held: of how many of those tried the promise was kept. said: what the user reads, or how."""

    fault: str
    tried: int
    held: int
    said: str
