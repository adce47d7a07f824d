"""Collected rows: of one run, and of all settings of a study."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from pipeline.results import rows, sealed_text
from pipeline.results.untrained import is_untrained
from robustinfo.core.measurement import exact

NOT_TRAINED = "untrained"  # the quantity of the one row of a run that was not trained


def rows_of_run(
    names: dict[str, str], data: Path, model: Path, tables: Iterable[Path]
) -> pd.DataFrame:
    """All rows of one run with its names as columns (``rows.RUN``); the number of classes first.

    data: the description of its data set. model: its checkpoint. tables: of its stages.
    """
    if is_untrained(model):
        table = pd.DataFrame(rows.from_measurements("train", [exact(NOT_TRAINED, 1)]))
    else:
        classes = len(sealed_text.read_json(data)["classes"])
        class_rows = pd.DataFrame(rows.from_measurements("data", [exact("classes", classes)]))
        table = pd.concat([class_rows, *map(rows.read, tables)], ignore_index=True)
    for position, name in enumerate(rows.RUN):
        table.insert(position, name, names[name])
    return table


def read_results(files: Iterable[Path]) -> pd.DataFrame:
    """Rows of every setting of the study, and of every toy, which has no setting.

    Without those of runs that were not trained (``read_untrained``).
    """
    table = _read_all(files)
    return table[table.quantity != NOT_TRAINED].reset_index(drop=True)


def read_untrained(files: Iterable[Path]) -> pd.DataFrame:
    """Columns dataset, model, defence: the runs that were not trained."""
    table = _read_all(files)
    columns = ["dataset", "model", "defence"]
    return table[table.quantity == NOT_TRAINED][columns].drop_duplicates(ignore_index=True)


def _read_all(files: Iterable[Path]) -> pd.DataFrame:
    return pd.concat(map(rows.read, files), ignore_index=True)
