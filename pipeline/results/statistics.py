"""From the rows of single runs to one estimate over seeds and images.

Who computes a number states in the column ``interval`` what is known of its error: ``fraction`` (k
of n images), ``exact`` (none: counts, toys, settings), ``own`` (low and high are given), or
``unknown``. It is never guessed from a name.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeline.results.outcomes import by_image
from robustinfo.maths import statistics
from robustinfo.maths.statistics import Bounds, Estimate, images


def with_intervals(results: pd.DataFrame) -> pd.DataFrame:
    """``low`` and ``high`` where they are empty: Wilson's interval of each fraction of n images."""
    counts = (_kinds(results) == "fraction") & results.n.gt(0) & results.value.notna()
    counts &= results.low.isna()
    pairs = [*zip(results.value[counts], results.n[counts], strict=True)]
    known = {(v, n): statistics.fraction_interval(round(v * n), n) for v, n in set(pairs)}
    results.loc[counts, ["low", "high"]] = [known[pair] for pair in pairs] or np.empty((0, 2))
    return results


def over_seeds(rows: pd.DataFrame, outcomes: pd.DataFrame | None = None) -> dict:
    """The mean over the seeds, its 95 % interval and what that speaks of, images and seeds.

    outcomes: as ``estimate`` takes them.
    """
    found = estimate(rows, outcomes)
    low, high = found.interval
    n = images_of(rows)
    return {
        "ours": found.value,
        "low": low,
        "high": high,
        "scope": found.scope,
        "n": "" if n is None else n,
        "seeds": found.seeds,
    }


def images_of(*rows: pd.DataFrame) -> int | None:
    """The fewest images behind a value; None where none are known."""
    known = pd.concat([one.n for one in rows]).dropna()
    return None if known.empty else int(known.min())


def estimate(rows: pd.DataFrame, outcomes: pd.DataFrame | None = None) -> Estimate:
    """What a selection comes to: of each seed the mean of its rows, and over the seeds.

    Rows of one seed, as of several attacks, are means over the same images, and are taken to vary
    with them as one. outcomes: of the same setting, per image (``outcomes``), where known. Without
    an interval where a seed has no value: what is left would speak for one that failed.
    """
    seeds, rows = rows.seed.nunique(), rows[rows.value.notna()]
    per_seed = rows.groupby("seed").value.mean()
    if len(per_seed) < max(seeds, 1):
        return statistics.unknown(per_seed.mean(), len(per_seed))
    if is_exact(rows) and np.ptp(per_seed) == 0:
        return statistics.exact(per_seed.iloc[0], len(per_seed))
    single = None if outcomes is None else by_image(outcomes, rows)
    if single is not None:
        found = statistics.over_images(single.to_numpy())
    else:
        found = statistics.over_seeds(per_seed, _images(rows))
    return found.clipped(0, 1) if are_fractions(rows) else found


def compared(
    of: pd.DataFrame,
    against: pd.DataFrame,
    statistic: str,
    outcomes: pd.DataFrame | None = None,
) -> Estimate:
    """The ``difference`` or ``ratio`` of what two selections come to, seed by seed.

    Where both are exact, so is what they come to. A difference is paired image by image where the
    outcomes of both are known. Without an interval where a seed of both has lost its value.
    """
    both = set(of.seed) & set(against.seed)
    of, against = (rows[rows.value.notna()] for rows in (of, against))
    shared = set(of.seed) & set(against.seed)
    of, against = (rows[rows.seed.isin(shared)] for rows in (of, against))
    one, other = (rows.groupby("seed").value.mean() for rows in (of, against))
    values = one - other if statistic == "difference" else one / other
    if is_exact(of) and is_exact(against) and len(values) and np.ptp(values) == 0:
        return statistics.exact(values.iloc[0], len(values))
    if values.empty or not np.isfinite(values).all():
        return statistics.unknown(np.nan, len(values))
    if shared != both:
        return statistics.unknown(values.mean(), len(values))
    if statistic == "difference" and outcomes is not None:
        first, second = (by_image(outcomes, rows) for rows in (of, against))
        if first is not None and second is not None and first.columns.equals(second.columns):
            pair = (first.to_numpy(), second.to_numpy())
            return statistics.over_images(*pair).clipped(-1, 1)
    together = {"difference": images.difference, "ratio": images.ratio}[statistic]
    bounds = together(one.mean(), _images(of), other.mean(), _images(against))
    found = statistics.over_seeds(values, bounds)
    if statistic != "difference" or not (are_fractions(of) and are_fractions(against)):
        return found
    (least, most), (low, high) = _range(of), _range(against)
    return found.clipped(least - high, most - low)


def are_fractions(rows: pd.DataFrame) -> bool:
    """Whether each row counts images, or is a fraction by definition."""
    return bool(_kinds(rows).isin(["fraction", "exact"]).all() and rows.value.between(0, 1).all())


def _range(rows: pd.DataFrame) -> tuple[float, float]:
    """Between what a fraction lies: 0 and 1, or its value where it is exact."""
    return (rows.value.min(), rows.value.max()) if is_exact(rows) else (0.0, 1.0)


def is_exact(rows: pd.DataFrame) -> bool:
    """Whether all that is known of the rows' error is that they have none."""
    return bool((_kinds(rows) == "exact").all())


def chosen(results: pd.DataFrame, where: Mapping) -> pd.DataFrame:
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


def _kinds(rows: pd.DataFrame) -> pd.Series:
    """What each row states of its error; ``own`` where it states only low and high."""
    if "interval" in rows:
        stated = rows.interval.fillna("")
    else:
        stated = pd.Series("", index=rows.index)
    given = (stated == "") & rows.low.notna() & rows.high.notna()
    return stated.mask(given, "own")


def _images(rows: pd.DataFrame) -> Bounds | None:
    """The images' part of the interval of the seeds' mean, where what is stated gives it."""
    stated = _kinds(rows)
    kinds, n = set(stated), images_of(rows)
    whole = {side: rows[side].mask(stated == "exact", rows.value) for side in ("low", "high")}
    rows = rows.assign(**whole)
    per_seed = rows.groupby("seed")[["value", "low", "high"]].mean()
    if kinds == {"exact"}:
        mean = float(per_seed.value.mean())
        return lambda tail: (mean, mean)
    if kinds == {"fraction"} and n:
        return images.from_fractions(per_seed.value, n)
    if kinds and kinds <= {"fraction", "own", "exact"} and rows.low.notna().all():
        return images.from_intervals(per_seed.value, per_seed.low, per_seed.high)
    return None
