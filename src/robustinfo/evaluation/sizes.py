"""The five sizes of a protocol; their attacks and diagnostics are in protocol.py.

Nothing here imports torch: the command line prints them at once.
"""

from typing import NamedTuple


class Size(NamedTuple):
    """The numbers of a protocol."""

    name: str
    images: int
    steps: int
    restarts: int
    queries: int  # of Square
    walk: int  # steps of HopSkipJump; 0: none
    draws: int  # of random search
    planted: int  # images of the binarization test
    ensemble: bool  # AutoAttack
    corruptions: bool = False  # whether common corruptions are measured beside the attacks

    def with_corruptions(self, wanted: bool | None) -> "Size":
        """The same with common corruptions or without; None: as it is."""
        return self if wanted is None else self._replace(corruptions=wanted)


SIZES = (
    Size("tiny", 64, 20, 1, 200, 0, 50, 16, False),
    Size("small", 100, 40, 2, 1000, 10, 200, 32, False),
    Size("medium", 400, 50, 3, 1000, 10, 200, 80, True, True),
    Size("large", 600, 100, 5, 5000, 30, 1000, 80, True, True),
    Size("full", 1000, 100, 10, 5000, 50, 10_000, 100, True, True),
)
BY_NAME = {size.name: size for size in SIZES}


def rank(size: Size) -> str:
    """The rank of a size: ``2 of 5``."""
    return f"{[*BY_NAME].index(size.name) + 1} of {len(SIZES)}"
