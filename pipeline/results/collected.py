"""The rows of single runs under one another, and of all settings of a study."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from pipeline.results import rows, sealed_text
from pipeline.results.untrained import is_untrained
from robustinfo.core.measurement import exact

NOT_TRAINED = "untrained"  # the quantity of the one row of a run that was not trained


def of_run(names: dict[str, str], data: Path, model: Path, tables: Iterable[Path]) -> pd.DataFrame:
    """All rows of one run with its names, those of ``rows.RUN``; its classes come first.

    data: the description of its data set. model: its checkpoint.
    """
    if is_untrained(model):
        own = pd.DataFrame(rows.of("train", [exact(NOT_TRAINED, 1)]))
    else:
        classes = len(sealed_text.read_json(data)["classes"])
        of_data = pd.DataFrame(rows.of("data", [exact("classes", classes)]))
        own = pd.concat([of_data, *map(rows.read, tables)], ignore_index=True)
    for position, name in enumerate(rows.RUN):
        own.insert(position, name, names[name])
    return own


def results_of(files: Iterable[Path]) -> pd.DataFrame:
    """The collected rows of every setting of the study, and of every toy, which has no setting.

    Without those of runs that were not trained, of which ``untrained_of`` tells.
    """
    found = _collected(files)
    return found[found.quantity != NOT_TRAINED].reset_index(drop=True)


def untrained_of(files: Iterable[Path]) -> pd.DataFrame:
    """dataset, model, defence of what was not trained."""
    found = _collected(files)
    names = ["dataset", "model", "defence"]
    return found[found.quantity == NOT_TRAINED][names].drop_duplicates(ignore_index=True)


def _collected(files: Iterable[Path]) -> pd.DataFrame:
    return pd.concat(map(rows.read, files), ignore_index=True)
