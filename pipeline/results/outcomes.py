"""Whether each network is robust on each image, for what the collected rows say in fractions."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.results import rows


def outcomes_of(files: Iterable[tuple[Path, dict[str, str]]]) -> pd.DataFrame:
    """The tables ``per_image`` of all settings. files: each with the names of its setting."""
    found = [rows.read(path).assign(**names) for path, names in files]
    return pd.concat(found, ignore_index=True)


def by_image(outcomes: pd.DataFrame, selected: pd.DataFrame) -> pd.DataFrame | None:
    """A line of 0 and 1 per seed of the rows, a column per image of the test set.

    selected: rows of one setting. None where they are not one fraction per seed of one network's
    images, or the outcomes are not those that the fractions count.
    """
    about = selected[["defence", "stage", "entry", "quantity"]].drop_duplicates()
    if len(about) != 1 or selected.seed.duplicated().any():
        return None
    defence, stage, entry, quantity = about.iloc[0]
    known = (("attack", "accuracy"), ("diagnose", "accuracy"), (stage, "robust_accuracy"))
    if (stage, quantity) not in known:
        return None
    own = outcomes[(outcomes.defence == defence) & outcomes.seed.isin(selected.seed)]
    own = own[own.entry == entry]
    if own.empty:
        return None
    found = own.pivot(index="seed", columns="index", values="correct")
    counted = selected.set_index("seed").value.sort_index()
    if found.isna().any(axis=None) or list(found.index) != list(counted.index):
        return None
    return found if np.allclose(found.mean(axis=1), counted, atol=1e-6) else None
