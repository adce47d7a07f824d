"""From the rows of single runs to one number with an interval over the seeds."""

import numpy as np
import pandas as pd

from pipeline.rows import RUN
from robustinfo.maths.intervals import student, wilson

FRACTION = r"accuracy|_rate|_share"  # quantities that count images


def with_wilson(results: pd.DataFrame) -> pd.DataFrame:
    """``low`` and ``high`` where they are empty: Wilson's interval of each fraction of n images."""
    counts = results.quantity.str.contains(FRACTION) & results.n.gt(0) & results.value.notna()
    counts &= results.low.isna()
    pairs = results.loc[counts, ["value", "n"]]
    known = {(v, n): wilson(v, int(n)) for v, n in set(zip(pairs.value, pairs.n, strict=True))}
    bounds = [known[pair] for pair in zip(pairs.value, pairs.n, strict=True)] or np.empty((0, 2))
    results.loc[counts, ["low", "high"]] = bounds
    return results


def over_seeds(rows: pd.DataFrame) -> dict:
    """Mean over the seeds with a 95 % interval, and the images behind one value (n).

    Where every seed has an interval of its own, as a fraction of images has Wilson's: from the
    lowest to the highest of them, which covers the choice of images and the spread seen between
    seeds. Of anything else: Student's.
    """
    if rows.low.notna().all():
        low, high = rows.low.min(), rows.high.max()
    else:
        low, high = student(rows.value)
    n = rows.n.min()
    return {"ours": rows.value.mean(), "low": low, "high": high, "n": "" if pd.isna(n) else int(n)}


def over_all(results: pd.DataFrame) -> pd.DataFrame:
    """What runs say over all attacks: with what was transferred, where anything was."""
    combined = results[results.entry == "attacks"]
    transferred = combined.stage == "transfer"
    of_run = [combined[name] for name in RUN]
    return combined[transferred | ~transferred.groupby(of_run).transform("any")]


def chosen(results: pd.DataFrame, where: dict) -> pd.DataFrame:
    """The rows whose columns have the given value, or one of the given values.

    ``epoch: first`` and ``epoch: last`` are the first and last epoch among the rows of each run.
    """
    edge = {"first": "min", "last": "max"}.get(str(where.get("epoch")))
    rows = results
    for column, wanted in where.items():
        if not (column == "epoch" and edge):
            rows = rows[rows[column].isin(wanted if isinstance(wanted, list) else [wanted])]
    if edge:  # of the rows that everything else has left
        epochs = rows.groupby(["dataset", "model", "defence", "seed"]).epoch
        rows = rows[rows.epoch == epochs.transform(edge)]
    return rows
