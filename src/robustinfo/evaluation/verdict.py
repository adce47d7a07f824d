"""The answers to all checks, and the verdict: the worst class of a check that surely fails.

A value that is estimated from images fails or passes where its 95 % interval lies wholly on one
side of the threshold; else the check cannot say, and the verdict is not HOLDS. One image alone
accuses nobody: 1 of 1 is surely above 5 %, and chance in one network of twenty. A fact about what
was run (a count, an image outside the ball) needs no interval. A check without a measurement is not
run, which is never a pass.
"""

import math
from collections.abc import Iterable
from typing import Literal, NamedTuple

from robustinfo.core.errors import UserError
from robustinfo.core.measurement import Measurement
from robustinfo.evaluation.checks import (
    ABOVE,
    AT_LEAST,
    AT_MOST,
    CHECKS,
    CLASSES,
    HOLDS,
    NOT_ENOUGH,
    NOTE,
    RANDOM_FRACTION,
    Check,
)
from robustinfo.maths.statistics import fraction_interval, images_needed

Result = Literal["failed", "cannot say", "passed", "not run", "noted"]
SEVERITY = ("failed", "noted", "cannot say", "passed", "not run")


class Answer(NamedTuple):
    """The result of a check, with its numbers, which are None where it was not run."""

    check: Check
    result: Result
    threshold: float | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    entry: str = ""  # the attack or diagnostic that measured it
    images: int | None = None  # that would decide the check at the same rate


class Verdict(NamedTuple):
    """The class of a network, and every answer, in the order of CHECKS."""

    verdict: str
    answers: list[Answer]

    def counts(self) -> dict[str, int]:
        """The numbers of deciding checks that failed, passed, cannot say, were not run."""
        deciding: list[str] = [one.result for one in self.answers if one.check.verdict != NOTE]
        return {name: deciding.count(name) for name in SEVERITY if name != "noted"}

    def failed_checks(self) -> list[str]:
        """The names of the checks that were surely failed, notes aside, in the order of CHECKS."""
        return [one.check.name for one in self.answers if one.result == "failed"]

    def failed_classes(self) -> list[str]:
        """The classes of all checks that were surely failed, worst first."""
        failed = {one.check.verdict for one in self.answers if one.result == "failed"}
        return [name for name in CLASSES if name in failed]


def judge(measurements: Iterable[Measurement], classes: int) -> Verdict:
    """The verdict of the measurements.  classes: K, of the data.

    Raises UserError if a value that a check reads is NaN.
    """
    every = list(measurements)
    differ = [one.value for one in every if one.quantity == "forwards_differ_fraction"]
    random = max(differ, default=0.0) > RANDOM_FRACTION
    answers = []
    for check in CHECKS:
        of_check = [one for one in every if one.quantity == check.name]
        if check.fixed_answers and random:
            of_check = []  # every run would break other images
        results = [answer(check, one, classes) for one in of_check]
        answers.append(worst(results) if results else Answer(check, "not run"))
    return Verdict(_class(answers), answers)


def worst(answers: list[Answer]) -> Answer:
    """The most severe answer, and of these the furthest beyond its threshold."""
    sign = -1 if answers[0].check.rule == AT_MOST else 1
    return min(answers, key=lambda one: (SEVERITY.index(one.result), sign * one.value))  # type: ignore[operator]  # each was run


def answer(check: Check, measurement: Measurement, classes: int) -> Answer:
    """The answer of one measurement to a check."""
    if math.isnan(measurement.value):
        raise UserError(
            f"no verdict: {check.name} ({measurement.entry or 'no entry'}) is NaN; the evaluation "
            "lacks its evidence"
        )
    limit = check.threshold(classes) if callable(check.threshold) else check.threshold
    low, high = _interval(check, measurement)
    numbers = (limit, measurement.value, low, high, measurement.n, measurement.entry)
    if check.sampled:
        result = _estimated(check, low, high, limit)
        of_images = measurement.interval == "fraction" and check.rule == AT_MOST
        if result == "failed" and of_images and _count(measurement)[0] < 2:
            return Answer(check, "cannot say", *numbers, images=2 * (measurement.n or 1))
    else:
        result = (
            "passed"
            if _holds(check, measurement.value, _tolerant(check, limit, measurement))
            else "failed"
        )
    if result == "failed" and check.verdict == NOTE:
        result = "noted"
    images = None
    if result == "cannot say" and measurement.interval == "fraction":
        side = "below" if measurement.value < limit else "above"
        images = images_needed(*_count(measurement), limit, side)
    return Answer(check, result, *numbers, images)


def _count(measurement: Measurement) -> tuple[int, int]:
    """The numerator and denominator of a fraction, in images."""
    n = measurement.n or 0
    return round(measurement.value * n), n


def _interval(check: Check, measurement: Measurement) -> tuple[float, float]:
    if measurement.interval == "fraction":
        return fraction_interval(*_count(measurement))
    if measurement.interval == "own":
        return measurement.low, measurement.high  # type: ignore[return-value]  # what `own` means
    if check.sampled and measurement.interval != "exact":
        return -math.inf, math.inf
    return measurement.value, measurement.value


def _estimated(check: Check, low: float, high: float, limit: float) -> Result:
    surely = {
        AT_MOST: (low > limit, high <= limit),
        AT_LEAST: (high < limit, low >= limit),
        ABOVE: (high <= (limit if check.fails_below is None else check.fails_below), low > limit),
    }
    failed, passed = surely[check.rule]
    # A gain that is surely above 0 passes, however small it may be.
    return "passed" if passed else "failed" if failed else "cannot say"


def _tolerant(check: Check, limit: float, measurement: Measurement) -> float:
    """The limit, or the fraction of the tolerated images if it is larger."""
    if not (check.tolerance and measurement.n):
        return limit
    return max(
        limit, (check.tolerance + 0.5) / measurement.n
    )  # a difference of fractions is not exact


def _holds(check: Check, value: float, limit: float) -> bool:
    return {AT_MOST: value <= limit, AT_LEAST: value >= limit, ABOVE: value > limit}[check.rule]


def _class(answers: list[Answer]) -> str:
    failed = {one.check.verdict for one in answers if one.result == "failed"}
    if failed:
        return next(name for name in CLASSES if name in failed)
    open_ones = any(
        (one.result == "cannot say" and one.check.verdict != NOTE)
        or (one.result == "not run" and one.check.required)
        for one in answers
    )  # fmt: skip
    return NOT_ENOUGH if open_ones else HOLDS
