"""How far an evaluation is: the fraction of its work, and what each attack has left so far."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch import Tensor

from robustinfo.evaluation.cost import Cost

GRADIENT = 3  # times the work of a pass without a gradient


class Step(NamedTuple):
    """A piece of work that begins, or has ended; as text, a line."""

    fraction: float  # of all work, done so far
    work: str  # the attack or diagnostic, and its images
    result: str = ""  # of a piece that has ended

    def __str__(self) -> str:
        """``34 %  pgd, images 1 to 20 of 40: leaves 61.2 %``."""
        return f"{self.fraction:4.0%}  {self.work}" + (f": {self.result}" if self.result else "")


Progress = Callable[[Step], object]


class Tally:
    """The work that is done, weighted by its cost, and what attacks have left."""

    def __init__(self, tell: Progress, costs: Mapping[str, Cost], total: float) -> None:
        """costs: of one image, by the name of a piece. total: the work of all pieces."""
        self._tell, self._costs, self._total = tell, costs, max(total, 1e-12)
        self._done = 0.0
        self._left: dict[str, tuple[int, int]] = {}  # images left, and seen, by attack

    def begin(self, work: str, images: str = "") -> None:
        """Say what begins. images: which, as ``, images 1 to 20 of 40``."""
        self._tell(Step(self._fraction(), work + images))

    def end(self, work: str, n: int, images: str = "", left: Tensor | None = None) -> None:
        """Count n images as done. left: (n,) bool, those that an attack did not break."""
        self._done += n * work_of(self._costs.get(work, Cost(1)))
        result = "done"
        if left is not None:
            before, seen = self._left.get(work, (0, 0))
            self._left[work] = remain, seen = before + int(left.sum()), seen + n
            result = f"leaves {remain / seen:.1%}"
        self._tell(Step(self._fraction(), work + images, result))

    def _fraction(self) -> float:
        return min(1.0, self._done / self._total)


def work_of(cost: Cost) -> float:
    """Passes without a gradient that take as long."""
    return GRADIENT * cost.gradients + cost.queries
