"""What stands beside robust accuracy: as evaluation.json holds it, and in words for the page."""

from collections.abc import Callable
from typing import NamedTuple

from robustinfo.core.settings import Fraction01, Settings
from robustinfo.evaluation.display.numbers import SPACE, percent, plain, points
from robustinfo.evaluation.report.fields import Finite


class Value(Settings):
    """A number and its 95 % interval, where there is one."""

    value: Finite | None  # None: infinite, or not a number
    low: Finite | None
    high: Finite | None


class Calibration(Settings):
    n: int
    expected_calibration_error: Value
    calibration_error_by_chance: Value
    overconfidence: Value
    negative_log_likelihood: Value  # in nats
    brier_score: Value


class Accuracy(Settings):
    value: Fraction01
    low: Fraction01
    high: Fraction01


class OfSeverity(Accuracy):
    severity: int


class OfCorruption(Accuracy):
    corruption: str
    by_severity: list[OfSeverity]


class Corruptions(Accuracy):
    n: int
    relative_error: Finite | None  # mCE, of the twin's errors
    by_corruption: list[OfCorruption]


class Line(NamedTuple):
    """A line of the table; ``about`` stands below what it is, the interval below the value."""

    what: str
    about: str
    value: str
    interval: str


def lines(calibration: Calibration | None, corruptions: Corruptions | None) -> list[Line]:
    """The lines of the table, as far as they were measured."""
    found = [] if calibration is None else _of_calibration(calibration)
    if corruptions is not None:
        count = len(corruptions.by_corruption)
        about = f"the mean over {count} kinds of noise, blur, weather and compression"
        found.append(_line("accuracy under common corruptions", about, corruptions, percent))
        if corruptions.relative_error is not None:
            about = "of the errors that the twin makes; below 1 it makes fewer"
            relative = Value(value=corruptions.relative_error, low=None, high=None)
            found.append(_line("corruption error", about, relative, plain))
    return found


def _of_calibration(one: Calibration) -> list[Line]:
    chance = one.calibration_error_by_chance.value
    shown = "" if chance is None else f"; a calibrated network would show {percent(chance)} here"
    apart = f"how far confidence and accuracy are apart, in 15 bins{shown}"
    return [
        _line("expected calibration error", apart, one.expected_calibration_error, percent),
        _line("overconfidence", "mean confidence less accuracy", one.overconfidence, points),
        _line("negative log-likelihood", "of the labels", one.negative_log_likelihood, _nats),
        _line("Brier score", "from 0, which is best, to 2", one.brier_score, plain),
    ]


def _line(what: str, about: str, one: Value | Accuracy, form: Callable[[float], str]) -> Line:
    if one.value is None:
        return Line(what, about, "infinite, or no number", "")
    if one.low is None or one.high is None:
        return Line(what, about, form(one.value), "")
    return Line(what, about, form(one.value), f"{form(one.low)} to {form(one.high)}")


def _nats(value: float) -> str:
    return f"{plain(value)}{SPACE}nats"
