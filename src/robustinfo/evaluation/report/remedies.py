"""What evaluation.json holds of remedies."""

from typing import Annotated

from robustinfo.core.settings import Fraction01, Number, Settings
from robustinfo.evaluation.checks import BY_NAME
from robustinfo.evaluation.report.fields import Interval, one_of


class Remedy(Settings):
    called_by: list[Annotated[str, one_of(*BY_NAME)]]
    broken: list[int]
    seconds: Number
    not_made: str


class AfterRemedies(Settings):
    accuracy: Fraction01
    interval: Interval
    votes: int | None  # whose majority is the answer of a randomised network
    vote_error: Number | None
    seconds: Number
    remedies: dict[str, Remedy]
