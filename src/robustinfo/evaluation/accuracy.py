"""An accuracy with its interval: a number like any other, that knows how sure it is."""

from typing import Self

from torch import Tensor

from robustinfo.maths.statistics import fraction_interval


class Accuracy(float):
    """A fraction of n images in [0, 1], with its 95 % interval over images (Wilson)."""

    low: float
    high: float
    n: int

    def __new__(cls, count: int, n: int) -> Self:
        """The fraction count / n; 0, from 0 to 1, of no image."""
        one = super().__new__(cls, count / n if n else 0.0)
        (one.low, one.high), one.n = fraction_interval(count, n), n
        return one

    @classmethod
    def of(cls, correct: Tensor) -> Self:
        """The fraction of True of (n,) bool."""
        return cls(int(correct.sum()), len(correct))

    def __getnewargs__(self) -> tuple[int, int]:  # type: ignore[override]
        """What a copy is made of."""
        return round(self * self.n), self.n

    def __repr__(self) -> str:
        """``61.2 % (56.4 to 65.9, n = 400)``."""
        return f"{100 * self:.1f} % ({100 * self.low:.1f} to {100 * self.high:.1f}, n = {self.n})"
