"""What stands beside robust accuracy: calibration, and accuracy under common corruptions.

Both decide nothing: they are read from the measurements of the diagnostics ``calibration`` and
``corruptions`` of a protocol, the second one on the twin as well, and are written as data.
"""

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

from robustinfo.core.measurement import Measurement
from robustinfo.diagnostics.calibration import QUANTITIES
from robustinfo.diagnostics.corruption_accuracy import ACCURACY, OF_ALL, OF_ONE, relative_error
from robustinfo.evaluation.task import twin_name
from robustinfo.maths.statistics import fraction_interval

CORRUPTIONS = "corruptions"  # the entry of a protocol


class Corruptions(NamedTuple):
    """Accuracies under corruptions, with their intervals."""

    accuracy: Measurement  # the mean over corruptions and severities
    relative_error: float | None  # the paper's mCE, of the twin's errors; None: not known
    of_each: dict[str, Measurement]  # by corruption, the mean over severities
    by_severity: dict[str, list[Measurement]]  # by corruption, the mildest first

    def as_data(self) -> dict[str, Any]:
        """As evaluation.json has it."""
        rows = [
            {
                "corruption": name,
                **_number(whole),
                "by_severity": [
                    {"severity": int(one.level or 0), **_number(one)}
                    for one in self.by_severity[name]
                ],
            }
            for name, whole in self.of_each.items()
        ]
        whole = {"n": self.accuracy.n, **_number(self.accuracy)}
        return whole | {"relative_error": self.relative_error, "by_corruption": rows}


def corruptions(measured: Iterable[Measurement]) -> Corruptions | None:
    """The accuracies under corruptions; None where there are none."""
    ours = [one for one in measured if one.entry == CORRUPTIONS]
    twins = [one for one in measured if one.entry == twin_name(CORRUPTIONS)]
    whole = [one for one in ours if one.quantity == OF_ALL]
    if not whole:
        return None
    of_each = {one.input: one for one in ours if one.quantity == OF_ONE}
    levels = [one for one in ours if one.quantity == ACCURACY]
    by_severity = {name: [one for one in levels if one.input == name] for name in of_each}
    relative = [one.value for one in relative_error(ours, twins)]
    return Corruptions(whole[0], relative[0] if relative else None, of_each, by_severity)


def calibration(measured: Iterable[Measurement]) -> dict[str, Measurement]:
    """The measurements of calibration by their quantity; empty where there are none."""
    return {one.quantity: one for one in measured if one.quantity in QUANTITIES}


def calibration_as_data(measured: Iterable[Measurement]) -> dict[str, Any] | None:
    """As evaluation.json has it; None where nothing was measured."""
    found = calibration(measured)
    if not found:
        return None
    return {"n": found[QUANTITIES[0]].n} | {name: _number(one) for name, one in found.items()}


def in_words(measured: Iterable[Measurement]) -> list[str]:
    """One line for a terminal; none where nothing was measured."""
    values = [*measured]
    known, corrupted, parts = calibration(values), corruptions(values), list[str]()
    if known:
        error, chance, likelihood = (
            known[name]
            for name in (QUANTITIES[0], "calibration_error_by_chance", "negative_log_likelihood")
        )
        parts.append(f"calibration error {_between(error)}, by chance {chance.value:.1%}")
        parts.append(f"NLL {likelihood.value:.3g} nats")
    if corrupted is not None:
        parts.append(f"mean corruption accuracy {_between(corrupted.accuracy)}")
        if corrupted.relative_error is not None:
            parts.append(f"corruption error {corrupted.relative_error:.2f} times the twin's")
    return [f"beside: {'; '.join(parts)}"] if parts else []


def _between(one: Measurement) -> str:
    """``3.1% (1.2% to 5.0%)``; without an interval the value alone."""
    if one.low is None or one.high is None:
        return f"{one.value:.1%}"
    return f"{one.value:.1%} ({one.low:.1%} to {one.high:.1%})"


def _number(one: Measurement) -> dict[str, float | None]:
    """A value and its interval; what JSON has not, is null."""
    low, high = one.low, one.high
    if one.interval == "fraction" and one.n:
        low, high = fraction_interval(round(one.value * one.n), one.n)
    numbers = {"value": one.value, "low": low, "high": high}
    return {
        name: number if number is not None and math.isfinite(number) else None
        for name, number in numbers.items()
    }
