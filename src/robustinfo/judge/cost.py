"""What is asked of a network, counted in passes, which cost the same on every machine."""

from typing import NamedTuple


class Cost(NamedTuple):
    """At most so many passes, with a gradient and without; of a part, per image of the protocol."""

    gradients: float = 0
    queries: float = 0

    def __add__(self, other: "Cost") -> "Cost":  # type: ignore[override]  # no longer tuple
        """Of both."""
        return Cost(*(a + b for a, b in zip(self, other, strict=True)))

    def times(self, many: float) -> "Cost":
        """Of so many images."""
        return Cost(*(many * one for one in self))
