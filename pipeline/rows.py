"""The one shape of a result: a number, where it was measured, and what it means. CSV, tidy."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from robustinfo.files import whole

RUN = ["dataset", "model", "defence", "seed"]
# entry: the line of the study that made it.  input: clean, or the attack whose images were read.
# level: the value of a sweep.  n: images behind the value.  low, high: its own 95 % interval.
OWN = ["stage", "entry", "input", "epoch", "layer", "level", "quantity"]
VALUE = ["value", "n", "ceiling", "saturated", "low", "high"]
TEXT = dict.fromkeys([*RUN[:3], "stage", "entry", "input", "layer", "quantity"], str)


def write(path: Path, rows: Iterable[dict], names: Sequence[str] = ()) -> None:
    """Rows with these names of runs, if any; a missing key and NaN stay empty.

    The file appears whole or not at all.
    """
    with whole(path) as partial, partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*names, *OWN, *VALUE], restval="", lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({key: "" if value != value else value for key, value in row.items()})


def read(path: Path) -> pd.DataFrame:
    """Rows as written; empty text is "", an empty number NaN."""
    table = pd.read_csv(path, dtype=TEXT, keep_default_na=False, na_values={"value": [""]})
    for column in ("epoch", "level", "value", "n", "ceiling", "low", "high"):
        if column in table:
            table[column] = pd.to_numeric(table[column])
    return table


def write_table(path: Path, table: pd.DataFrame) -> None:
    """A DataFrame as CSV, whole or not at all."""
    with whole(path) as partial:
        table.to_csv(partial, index=False, lineterminator="\n")
