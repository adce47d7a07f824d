"""Whether each network was right on each image, for what the collected rows say in fractions."""

import numpy as np
import pandas as pd

from pipeline import paths
from pipeline.stage import Job


def outcomes_of(job: Job) -> pd.DataFrame:
    """The table ``standing`` of every setting of the study, with the setting's names."""
    names = dict.fromkeys(["dataset", "model", "defence"], str)
    found = []
    for setting in job.params["settings"]:
        file = job.path(paths.STANDING, **setting)
        found.append(pd.read_csv(file, dtype=names, keep_default_na=False).assign(**setting))
    return pd.concat(found, ignore_index=True)


def by_image(outcomes: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame | None:
    """A line of 0 and 1 per seed of the rows, a column per image of the test set.

    rows: of one setting. None where they are not one fraction per seed of one network's images, or
    the outcomes are not those that the fractions count.
    """
    about = rows[["defence", "stage", "entry", "quantity"]].drop_duplicates()
    if len(about) != 1 or rows.seed.duplicated().any():
        return None
    defence, stage, entry, quantity = about.iloc[0]
    column = {("attacks", "robust_accuracy"): "stands"}.get((entry, quantity))
    if stage in ("attack", "diagnose") and quantity == "accuracy":
        column = entry  # a column for each attack, and ``clean``, where they are kept
    own = outcomes[(outcomes.defence == defence) & outcomes.seed.isin(rows.seed)]
    if column not in own or own.empty:
        return None
    found = own.pivot(index="seed", columns="index", values=column)
    counted = rows.set_index("seed").value.sort_index()
    if found.isna().any(axis=None) or list(found.index) != list(counted.index):
        return None
    return found if np.allclose(found.mean(axis=1), counted, atol=1e-6) else None
