"""Accuracies after remedies, as leaderboard and overview show them beside robust accuracy."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.results import rows
from pipeline.results.statistics import over_seeds, with_intervals

QUANTITY = "accuracy_after_remedies"
ATTACK = "after remedies in {norm}"  # in place of an attack, among the accuracies that each leaves
BALL = ["dataset", "model", "defence", "norm"]
COLUMNS = {"after_remedies": "ours", "after_low": "low", "after_high": "high"}


def read_remedied(files: Iterable[tuple[Path, dict[str, str]]]) -> pd.DataFrame:
    """Columns BALL, ours, low, high, n: a row for each norm of a defence that had remedies.

    files: (path, names of its run), of the stage remedies, of every seed.
    """
    tables = [rows.read(path).assign(**names) for path, names in files]
    none = pd.DataFrame(columns=[*BALL, *rows.MEASURED_AT, *rows.VALUE])
    found = pd.concat([none, *tables], ignore_index=True)
    found = with_intervals(found[found.quantity == QUANTITY].assign(norm=found.entry))
    groups = found.groupby(BALL, sort=False)
    lines = [dict(zip(BALL, key, strict=True)) | over_seeds(seeds) for key, seeds in groups]
    return pd.DataFrame(lines, columns=[*BALL, "ours", "low", "high", "n"])


def attack_lines(remedied: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The lines of one setting, as those of the accuracy that an attack leaves."""
    for line in remedied.to_dict("records"):
        attack = ATTACK.format(norm=line["norm"])
        yield line | {"attack": attack, "counts": True, "value": line["ours"]}


def with_remedies(verdicts: pd.DataFrame, remedied: pd.DataFrame) -> pd.DataFrame:
    """The verdicts with COLUMNS, NaN without a remedy; as they are where there was none at all."""
    if remedied.empty:
        return verdicts
    renamed = remedied.rename(columns={of: name for name, of in COLUMNS.items()})
    return verdicts.merge(renamed[[*BALL, *COLUMNS]], on=BALL, how="left", validate="one_to_one")
