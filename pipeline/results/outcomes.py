"""Per-image outcomes behind the fractions of the collected rows: correct (1) or not (0)."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.results import rows


def read_outcomes(files: Iterable[tuple[Path, dict[str, str]]]) -> pd.DataFrame:
    """The tables ``per_image`` of all settings as one. files: (path, names of its setting)."""
    tables = [rows.read(path).assign(**setting) for path, setting in files]
    return pd.concat(tables, ignore_index=True)


def outcomes_by_image(outcomes: pd.DataFrame, selected: pd.DataFrame) -> pd.DataFrame | None:
    """0 or 1, a row per seed of the selected rows, a column per image of the test set.

    selected: rows of one setting. None unless they are one fraction per seed of one network's
    images, and the outcomes have these fractions.
    """
    origin = selected[["defence", "stage", "entry", "quantity"]].drop_duplicates()
    if len(origin) != 1 or selected.seed.duplicated().any():
        return None
    defence, stage, entry, quantity = origin.iloc[0]
    known = (("attack", "accuracy"), ("diagnose", "accuracy"), (stage, "robust_accuracy"))
    if (stage, quantity) not in known:
        return None
    correct = outcomes[(outcomes.defence == defence) & outcomes.seed.isin(selected.seed)]
    correct = correct[correct.entry == entry]
    if correct.empty:
        return None
    by_seed = correct.pivot(index="seed", columns="index", values="correct")
    fractions = selected.set_index("seed").value.sort_index()
    if by_seed.isna().any(axis=None) or list(by_seed.index) != list(fractions.index):
        return None
    return by_seed if np.allclose(by_seed.mean(axis=1), fractions, atol=1e-6) else None
