"""What evaluation.json holds, checked in this one place: whoever draws it may rely on it.

Accuracies and their intervals are fractions of images. A check that was not run has no numbers; one
without an end of its interval has none there. Texts are made printable (printable.py).
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from robustinfo.core.errors import UserError
from robustinfo.core.settings import Fraction01, Norm, Number, PositiveNumber, Settings
from robustinfo.evaluation.checks import BY_NAME
from robustinfo.evaluation.report.beside import Calibration, Corruptions
from robustinfo.evaluation.report.certified import Certified
from robustinfo.evaluation.report.distances import Distances
from robustinfo.evaluation.report.fields import Class, Finite, Interval, one_of
from robustinfo.evaluation.report.printable import printable
from robustinfo.evaluation.report.remedies import AfterRemedies
from robustinfo.evaluation.threats import ROLES
from robustinfo.evaluation.verdict import SEVERITY


class Threat(Settings):
    norm: Norm
    epsilon: PositiveNumber  # in pixel values of [0, 1]


class Protocol(Settings):
    name: str
    images: int
    steps: int
    restarts: int
    queries: int
    walk: int
    draws: int
    planted: int
    ensemble: bool
    corruptions: bool


class Network(Settings):
    source: str
    sha256: str | None
    notes: list[str]


class Data(Settings):
    root: str
    split: str | None
    classes: dict[str, int]
    order: str  # of the classes
    n: int
    left_out: list[tuple[str, int, str]]  # what, how many, why
    notes: list[str]
    sha256: str | None


class OfClass(Settings):
    name: str = Field(alias="class")
    n: int
    clean_accuracy: Fraction01
    robust_accuracy: Fraction01
    interval: Interval


class Attack(Settings):
    method: str
    role: Annotated[str, one_of(*ROLES)]
    settings: dict[str, Any]
    leaves: Fraction01  # correct when clean and under it alone, of all images
    interval: Interval
    broken: list[int]
    outside: int  # images outside the ball or [0, 1], which are no success
    seconds: Number | None


class FollowUp(Settings):
    broken: list[int]


class Checked(Settings):
    check: Annotated[str, one_of(*BY_NAME)]
    value: Finite | None
    low: Finite | None
    high: Finite | None
    n: int | None
    rule: str
    threshold: Finite | None
    of_class: str = Field(alias="class")  # a class, or NOTE
    result: Annotated[str, one_of(*SEVERITY)]
    said_by: str
    images_needed: int | None
    meaning: str
    required: bool

    @model_validator(mode="after")
    def numbers_where_it_was_run(self) -> Self:
        """A check that was run has a value and a threshold."""
        if self.result != "not run" and (self.value is None or self.threshold is None):
            raise ValueError(f"{self.check} was run, and has no value or no threshold")
        return self


class Images(Settings):
    label: list[int]
    clean_correct: list[bool]
    robust: list[bool]


class Point(Settings):
    epsilon: Number
    accuracy: Fraction01
    interval: Interval
    n: int


class Document(Settings):
    """An evaluation, as evaluation.json has it."""

    robustinfo: str | None  # None: a copy that is not installed
    date: str
    seconds: Number
    command: str | None
    verdict: Class
    failed_classes: list[Class]
    counts: dict[Literal["failed", "cannot say", "passed", "not run"], int]
    threat: Threat
    protocol: Protocol
    seed: int
    batch_size: int | None
    abstain: Literal["robust", "error"] | None  # what an abstaining network counts as
    device: str
    black_box: bool
    model: Network
    twin: Network | None
    data: Data
    versions: dict[str, str]
    clean_accuracy: Fraction01
    clean_interval: Interval
    robust_accuracy: Fraction01
    interval: Interval
    n: Annotated[int, Field(gt=0)]
    after_remedies: AfterRemedies | None
    certified: Certified | None  # None: nobody asked for a bound
    by_class: list[OfClass]
    attacks: dict[str, Attack]
    follow_up: FollowUp
    attacks_not_made: dict[str, str]
    checks: list[Checked]
    curve: list[Point]  # accuracy by epsilon under PGD on the margin, ascending
    distances: Distances | None  # None: none were looked for
    calibration: Calibration | None
    corruptions: Corruptions | None
    images: Images


def read(content: Mapping[str, Any]) -> Document:
    """The document of plain data. Raises UserError where it is not as evaluation.json is."""
    try:
        return Document.model_validate_json(json.dumps(printable(dict(content))))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise UserError(
            f"evaluation.json, {place}: {first['msg']}; it is not as this version of robustinfo "
            "writes it, so judge again"
        ) from None
