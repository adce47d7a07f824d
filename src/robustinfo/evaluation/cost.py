"""The cost of a protocol in passes of the network, which are the same on every machine."""

from typing import Any, NamedTuple

Entry = dict[str, Any]


class Cost(NamedTuple):
    """Mostly an upper bound of passes, with a gradient and without; of a part, per image."""

    gradients: float = 0
    queries: float = 0

    def __add__(self, other: "Cost") -> "Cost":  # type: ignore[override]  # no longer tuple
        """The sum of both."""
        return Cost(*(a + b for a, b in zip(self, other, strict=True)))

    def times(self, n: float) -> "Cost":
        """The cost of n images."""
        return Cost(*(n * passes for passes in self))


class Part(NamedTuple):
    """An entry of attacks/ or diagnostics/ in a protocol, and its cost."""

    entry: Entry
    cost: Cost
