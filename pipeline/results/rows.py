"""Rows: the one format of results, tidy CSV: a number, where it was measured, what it means.

Every table of a study is written and read here, by one rule: a name is text, whatever it looks
like (``None``, ``NA``, ``007``), a number is a number, and each file is sealed by its sha256. A
quote stands before a name that a spreadsheet would compute. A column that does not apply to a row
is empty there:

dataset, model, defence  of the run, as the study names them
seed  of the run; what a study trains with several seeds differs by nothing else
stage  the stage that wrote the row
entry  the line of the study that made it: an attack, a measure, a diagnostic ...; clean: none
input  the network's inputs: clean, training, or the attack whose images were read
epoch  after which the snapshot was made; 0: before the first step
layer  of the network; network: all of them together
level  the value of a sweep, or of another variable of the quantity
quantity  name of the value: see the quantities below
value  the number; empty: not a number
n  the images behind the value
interval  kind of its 95 % interval: fraction (k of n images: Wilson's), exact (a fact about the
    run, no interval), own (the interval of its method), unknown
low, high  the ends of that interval
ceiling  the most that n samples allow an estimate, in the unit of the value
saturated  whether the estimate is at its ceiling, and so uninformative: True or False
"""

import csv
import io
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.results import sealed_text
from robustinfo.core.measurement import Measurement

RUN = ["dataset", "model", "defence", "seed"]
MEASURED_AT = ["stage", "entry", "input", "epoch", "layer", "level", "quantity"]
VALUE = ["value", "n", "interval", "low", "high", "ceiling", "saturated"]
# Spreadsheets compute what begins with one of these, as a class called ``=1+1``, unless a quote
# stands before it, which they do not show.
QUOTE = "'"
COMPUTED = ("=", "+", "-", "@", QUOTE)
# The columns that hold numbers, in any table. All else is text, True and False included.
NUMBERS = {
    "seed", "epoch", "level", "value", "n", "ceiling", "low", "high",
    "index", "correct",  # per image
    "clean_accuracy", "robust_accuracy", "seeds", "strongest_attack_accuracy", "threshold",
    "failed", "passed", "cannot_say", "not_run", "images_needed",
    "rank", "clean_low", "clean_high", "after_remedies", "after_low", "after_high",
    "epsilon", "runs", "correlation", "logit_scale",
    "union_accuracy", "union_low", "union_high",
    "partial", "partial_low", "partial_high", "linear", "linear_low", "linear_high",
    "paper", "ours", "difference",
}  # fmt: skip


def from_measurements(
    stage: str, measured: Iterable[Measurement], n: int | None = None
) -> Iterator[dict]:
    """Rows of measurements; NaN: missing. n: the number of images of those without their own."""
    for measurement in measured:
        row = measurement._asdict() | {
            "stage": stage,
            "n": n if measurement.n is None else measurement.n,
        }
        yield {name: math.nan if value is None else value for name, value in row.items()}


def to_measurements(table: pd.DataFrame) -> Iterator[Measurement]:
    """Measurements of the rows of a table."""
    for row in table[[*Measurement._fields]].to_dict("records"):
        values: dict[str, Any] = {
            name: None if value != value else value for name, value in row.items()
        }
        integers: dict[str, Any] = {
            name: int(values[name]) for name in ("n", "epoch") if values[name] is not None
        }
        saturated = {"True": True, "False": False, "": None}[row["saturated"]]
        # A value is never missing: an empty one was NaN.
        yield Measurement(**values)._replace(value=row["value"], saturated=saturated, **integers)


def write(path: Path, rows: Iterable[dict], names: Sequence[str] = ()) -> None:
    """Write rows, with these columns of runs, if any; a missing key and NaN stay empty.

    The file appears whole or not at all.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, [*names, *MEASURED_AT, *VALUE], restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {key: "" if value != value else _as_text(value) for key, value in row.items()}
        )
    sealed_text.write(path, text.getvalue())


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a DataFrame as CSV, whole or not at all."""
    sealed_text.write(path, as_csv(table))


def as_csv(table: pd.DataFrame) -> str:
    """Text of a DataFrame as CSV."""
    return table.map(_as_text).to_csv(index=False, lineterminator="\n")


def read(path: Path, numbers: Collection[str] = ()) -> pd.DataFrame:
    """Read a table as it was written: empty text is "", an empty number NaN.

    numbers: columns that are numbers in this table beside ``NUMBERS``, which always are. Raises
    AlteredFileError unless the file is as it was written.
    """
    content = sealed_text.read(path)
    columns = pd.read_csv(io.BytesIO(content), nrows=0, lineterminator="\n").columns
    numeric = [column for column in columns if column in NUMBERS or column in numbers]
    table = pd.read_csv(
        io.BytesIO(content),
        dtype=dict.fromkeys(columns.difference(numeric), str),
        keep_default_na=False,
        na_values={column: [""] for column in numeric},
        float_precision="round_trip",
        lineterminator="\n",
    )
    for column in numeric:
        table[column] = pd.to_numeric(table[column])
    for column in columns.difference(numeric):
        table[column] = table[column].str.removeprefix(QUOTE)
    return table


def _as_text(cell: Any) -> Any:  # noqa: ANN401
    """A name that a spreadsheet would compute, with a quote before it; anything else as it is."""
    return QUOTE + cell if isinstance(cell, str) and cell.startswith(COMPUTED) else cell
