"""Estimates over seeds and images from the rows of single runs.

The column ``interval`` states what is known of a number's error: ``fraction`` (k of n images),
``exact`` (none: counts, toys, settings), ``own`` (low and high are given), or ``unknown``. It is
never guessed from a name.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeline.results.outcomes import outcomes_by_image
from pipeline.study.quantities import OF_SNAPSHOTS
from robustinfo.maths import statistics
from robustinfo.maths.statistics import Bounds, Estimate, images


def with_intervals(results: pd.DataFrame) -> pd.DataFrame:
    """Fill in ``low`` and ``high`` where empty: Wilson's interval of fractions of n images."""
    counts = (_interval_kinds(results) == "fraction") & results.n.gt(0) & results.value.notna()
    counts &= results.low.isna()
    pairs = [*zip(results.value[counts], results.n[counts], strict=True)]
    intervals = {(v, n): statistics.fraction_interval(round(v * n), n) for v, n in set(pairs)}
    results.loc[counts, ["low", "high"]] = [intervals[pair] for pair in pairs] or np.empty((0, 2))
    return results


def over_seeds(rows: pd.DataFrame, outcomes: pd.DataFrame | None = None) -> dict:
    """{column: value}: mean over the seeds, its 95 % interval and scope, images and seeds.

    outcomes: as ``estimate`` takes them. by_seed: the mean of each seed, in order, as a text.
    """
    mean = estimate(rows, outcomes)
    low, high = mean.interval
    n = min_images(rows)
    return {
        "ours": mean.value,
        "low": low,
        "high": high,
        "scope": mean.scope,
        "n": "" if n is None else n,
        "seeds": mean.seeds,
        "by_seed": " ".join(f"{value:.6g}" for value in rows.groupby("seed").value.mean().dropna()),
    }


def min_images(*rows: pd.DataFrame) -> int | None:
    """The fewest images of a row; None where no row has a number of images."""
    counts = pd.concat([table.n for table in rows]).dropna()
    return None if counts.empty else int(counts.min())


def estimate(rows: pd.DataFrame, outcomes: pd.DataFrame | None = None) -> Estimate:
    """Estimate of a selection: per seed the mean of its rows, then the mean over the seeds.

    Rows of one seed, as of several attacks, are means over the same images, and are taken to vary
    with them together. outcomes: of the same setting, per image (outcomes.py), where known. There
    is no interval where a seed has no value: the other seeds do not represent one that failed.
    """
    seeds, rows = rows.seed.nunique(), rows[rows.value.notna()]
    per_seed = rows.groupby("seed").value.mean()
    if len(per_seed) < max(seeds, 1):
        return statistics.unknown(per_seed.mean(), len(per_seed))
    if is_exact(rows) and np.ptp(per_seed) == 0:
        return statistics.exact(per_seed.iloc[0], len(per_seed))
    image_outcomes = None if outcomes is None else outcomes_by_image(outcomes, rows)
    if image_outcomes is not None:
        estimated = statistics.over_images(image_outcomes.to_numpy())
    else:
        estimated = statistics.over_seeds(per_seed, _image_bounds(rows))
    return estimated.clipped(0, 1) if are_fractions(rows) else estimated


def compare(
    of: pd.DataFrame,
    against: pd.DataFrame,
    statistic: str,
    outcomes: pd.DataFrame | None = None,
) -> Estimate:
    """Estimate of the ``difference`` or ``ratio`` of two selections' means, paired by seed.

    It is exact where both are. A difference is paired image by image where the outcomes of both are
    known. There is no interval where a seed of both has no value.
    """
    shared_seeds = set(of.seed) & set(against.seed)
    of, against = (rows[rows.value.notna()] for rows in (of, against))
    usable_seeds = set(of.seed) & set(against.seed)
    of, against = (rows[rows.seed.isin(usable_seeds)] for rows in (of, against))
    of_means, against_means = (rows.groupby("seed").value.mean() for rows in (of, against))
    values = of_means - against_means if statistic == "difference" else of_means / against_means
    if is_exact(of) and is_exact(against) and len(values) and np.ptp(values) == 0:
        return statistics.exact(values.iloc[0], len(values))
    if values.empty or not np.isfinite(values).all():
        return statistics.unknown(np.nan, len(values))
    if usable_seeds != shared_seeds:
        return statistics.unknown(values.mean(), len(values))
    if statistic == "difference" and outcomes is not None:
        first, second = (outcomes_by_image(outcomes, rows) for rows in (of, against))
        if first is not None and second is not None and first.columns.equals(second.columns):
            pair = (first.to_numpy(), second.to_numpy())
            return statistics.over_images(*pair).clipped(-1, 1)
    bounds_of = {"difference": images.difference, "ratio": images.ratio}[statistic]
    bounds = bounds_of(
        of_means.mean(), _image_bounds(of), against_means.mean(), _image_bounds(against)
    )
    estimated = statistics.over_seeds(values, bounds)
    if statistic != "difference" or not (are_fractions(of) and are_fractions(against)):
        return estimated
    (least, most), (low, high) = _range(of), _range(against)
    return estimated.clipped(least - high, most - low)


def are_fractions(rows: pd.DataFrame) -> bool:
    """Whether every row is a fraction of images, or exact within [0, 1]."""
    return bool(
        _interval_kinds(rows).isin(["fraction", "exact"]).all() and rows.value.between(0, 1).all()
    )


def _range(rows: pd.DataFrame) -> tuple[float, float]:
    """Bounds of a fraction: 0 and 1, or its value where it is exact."""
    return (rows.value.min(), rows.value.max()) if is_exact(rows) else (0.0, 1.0)


def is_exact(rows: pd.DataFrame) -> bool:
    """Whether every row is exact."""
    return bool((_interval_kinds(rows) == "exact").all())


def select_rows(results: pd.DataFrame, where: Mapping) -> pd.DataFrame:
    """Rows whose columns have the given value, or one of the given values.

    ``epoch: first`` and ``epoch: last`` are the first and last epoch among the rows of each run,
    and the measures of a network that was trained elsewhere, which have no epoch.
    """
    edge = {"first": "min", "last": "max"}.get(str(where.get("epoch")))
    rows = results
    for column, wanted in where.items():
        if not (column == "epoch" and edge):
            rows = rows[rows[column].isin(wanted if isinstance(wanted, list) else [wanted])]
    if edge:  # of the rows that everything else has left
        epochs = rows.groupby(["dataset", "model", "defence", "seed"]).epoch
        without = (rows.stage == OF_SNAPSHOTS) & rows.epoch.isna()
        rows = rows[(rows.epoch == epochs.transform(edge)) | without]
    return rows


def _interval_kinds(rows: pd.DataFrame) -> pd.Series:
    """Kind of each row's interval; ``own`` where a row has only low and high."""
    if "interval" in rows:
        stated = rows.interval.fillna("")
    else:
        stated = pd.Series("", index=rows.index)
    has_interval = (stated == "") & rows.low.notna() & rows.high.notna()
    return stated.mask(has_interval, "own")


def _image_bounds(rows: pd.DataFrame) -> Bounds | None:
    """Bounds of the seeds' mean from its images alone, where the kinds of intervals allow it."""
    stated = _interval_kinds(rows)
    kinds, n = set(stated), min_images(rows)
    filled = {side: rows[side].mask(stated == "exact", rows.value) for side in ("low", "high")}
    rows = rows.assign(**filled)
    per_seed = rows.groupby("seed")[["value", "low", "high"]].mean()
    if kinds == {"exact"}:
        mean = float(per_seed.value.mean())
        return lambda tail: (mean, mean)
    if kinds == {"fraction"} and n:
        return images.from_fractions(per_seed.value, n)
    if kinds and kinds <= {"fraction", "own", "exact"} and rows.low.notna().all():
        return images.from_intervals(per_seed.value, per_seed.low, per_seed.high)
    return None
