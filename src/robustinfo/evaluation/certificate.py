"""What an evaluation proves: certified accuracy, the lower end of robust accuracy."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from robustinfo.core.measurement import Measurement
from robustinfo.diagnostics.certified_accuracy import QUANTITIES, UNBOUNDED
from robustinfo.evaluation.accuracy import Accuracy


class Certificate(NamedTuple):
    """The fraction of images that a bound proves robust, or why the network has no bound."""

    accuracy: Accuracy | None  # by intervals or by relaxation; None: the network has no bound
    by_intervals: Accuracy | None
    by_relaxation: Accuracy | None
    no_bound: str  # the operation that cannot be bounded, and its layer

    def as_data(self) -> dict[str, Any]:
        """As evaluation.json has it."""
        if self.accuracy is None:
            return {"accuracy": None, "no_bound": self.no_bound}
        return {
            "accuracy": float(self.accuracy),
            "interval": [self.accuracy.low, self.accuracy.high],
            "by_intervals": float(self.by_intervals or 0),
            "by_relaxation": float(self.by_relaxation or 0),
            "n": self.accuracy.n,
            "no_bound": "",
        }


def certificate(measurements: Iterable[Measurement]) -> Certificate | None:
    """That of an evaluation's measurements; None where nobody asked for a bound."""
    found = {one.quantity: one for one in measurements if one.quantity in (*QUANTITIES, UNBOUNDED)}
    if UNBOUNDED in found:
        return Certificate(None, None, None, found[UNBOUNDED].layer)
    if not found:
        return None
    either, by_intervals, by_relaxation = (_accuracy(found[name]) for name in QUANTITIES)
    return Certificate(either, by_intervals, by_relaxation, no_bound="")


def _accuracy(one: Measurement) -> Accuracy:
    n = one.n or 0
    return Accuracy(round(one.value * n), n)


def in_words(found: Certificate | None, attacked: Accuracy) -> list[str]:
    """``certified 31.2% ≤ robust accuracy ≤ 54.7% (attacks)``, or why not; nothing: not asked."""
    if found is None:
        return []
    if found.accuracy is None:
        return [f"not certified: there is no bound for {found.no_bound}"]
    if found.accuracy > attacked and found.accuracy.n == attacked.n:
        return [f"certified {found.accuracy:.1%}, and attacks leave {attacked:.1%}: one is wrong"]
    few = f" of the first {found.accuracy.n} images" if found.accuracy.n < attacked.n else ""
    return [f"certified {found.accuracy:.1%}{few} ≤ robust accuracy ≤ {attacked:.1%} (attacks)"]
