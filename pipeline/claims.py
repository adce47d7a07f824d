"""Stage claims: every claim of the study as a computed statement, judged on our numbers.

reads   results/{study}/collected/*.csv
writes  results/{study}/claims.csv  claim, statistic, value, low, high, judgement, saturated,
                                    sentence, text, source

The statistic is a value of the results, or a difference, ratio or rank correlation of two
selections, seed by seed. Its interval is Student's over the seeds or, of values that have intervals
of their own (fractions, AUCs), the span of those. Supported: the interval lies wholly on the
claimed side of the threshold; not supported: wholly on the other; else undecided. Where a network
that it speaks of classifies clean images too badly to show anything, the judgement is
``undertrained`` and nothing is decided; nor where most of its values sit at their ceiling, where
they move with nothing: the judgement is then ``saturated``, and the column of that name the share
of such values.
"""

import math
from pathlib import Path

import numpy as np
import pandas as pd
from robustinfo.judging import least_accuracy

from pipeline import paths, rows
from pipeline.claim import Claim
from pipeline.collect import results_of
from pipeline.stage import Job, main
from pipeline.statistics import chosen
from pipeline.strict_yaml import StudyError, read
from robustinfo.maths.intervals import student

SETTING = ["dataset", "model"]
VALUES = [
    "claim", "statistic", "value", "low", "high", "judgement", "saturated", "sentence", "text",
    "source",
]  # fmt: skip
COLUMNS = SETTING + VALUES
MOST = 0.5  # of the values, at their ceiling
FEWEST = 5  # of a correlation: ranks of fewer agree by chance
CLEAN = {"stage": "diagnose", "entry": "clean", "quantity": "accuracy"}


def run(job: Job) -> None:
    """Judge every claim in every setting, or toy, that has results of what it speaks of."""
    results = results_of(job)
    lines = []
    for name, numbers in job.params["claims"].items():
        claim = Claim(**numbers)
        about = {"claim": name, "text": text_of(claim), "source": claim.paper}
        found = []
        for setting, own in results.groupby(SETTING, sort=False):
            if found_one := judged(own, claim):
                found.append(dict(zip(SETTING, setting, strict=True)) | about | found_one)
        if not found:
            raise StudyError(f"claim {name} selects no result: {claim.of} against {claim.against}")
        lines += found
    rows.write_table(job.path(paths.CLAIMS), pd.DataFrame(lines, columns=COLUMNS))


def judged(results: pd.DataFrame, claim: Claim) -> dict | None:
    """One claim in one setting; None where there is nothing that it speaks of."""
    of, against = chosen(results, claim.of), None
    if claim.against is not None:
        against = chosen(results, claim.against)
    if of.empty or (against is not None and against.empty):
        return None
    take = _correlations if claim.statistic == "correlation" else _compared
    values = take(of, against, claim)
    if against is None and of.low.notna().all():
        spans = _speaking(of, claim)
        low, high = spans.low.min(), spans.high.max()
    else:
        low, high = student(values.to_numpy())
    if claim.statistic == "correlation":
        low, high = np.clip((low, high), -1, 1)
    verdict = _judgement(low, high, claim)
    saturated = pd.concat([of, against]).saturated.eq("True").mean()
    if saturated > MOST:
        verdict = "saturated"
    if _undertrained(results, {*of.defence, *(() if against is None else against.defence)}):
        verdict = "undertrained"
    side = f"{claim.expect} {claim.threshold:g}"
    sign = {"difference": "-", "ratio": "/", "correlation": "correlated with"}[claim.statistic]
    other = f" {sign} {_name(claim.against)}" if claim.against is not None else ""
    group = f", worst {claim.worst_over}" if claim.worst_over else ""
    what = "" if claim.comes_to == "mean" else f"{claim.comes_to} of "
    return {
        "statistic": f"{what}{_name(claim.of)}{other}{group}; claimed {side}",
        "value": values.mean(),
        "low": low,
        "high": high,
        "judgement": verdict,
        "saturated": saturated,
        "sentence": claim.says.get(verdict, "").format(value=values.mean(), low=low, high=high),
    }


def _speaking(of: pd.DataFrame, claim: Claim) -> pd.DataFrame:
    """Per seed, the rows of the least favourable group; without groups, all."""
    if claim.worst_over is None:
        return of
    rank = of.groupby(claim.groups).value.transform("mean")
    return of[rank == rank.groupby(of.seed).transform(claim.worst)]


def _compared(of: pd.DataFrame, against: pd.DataFrame | None, claim: Claim) -> pd.Series:
    """One value per seed."""
    found = _comes_to(of, claim)
    if against is not None:
        take = {"difference": found.sub, "ratio": found.div}[claim.statistic]
        found = take(_comes_to(against, claim)).dropna()
    return found.groupby("seed").agg(claim.worst)


def _comes_to(rows: pd.DataFrame, claim: Claim) -> pd.Series:
    """One value per group, seeds being groups, too."""
    if claim.comes_to == "mean":
        return rows.groupby(claim.groups).value.mean()
    series = rows.groupby([*claim.groups, claim.over]).value.mean()
    return series.groupby(claim.groups).agg(
        {"fall": _fall, "half_rise": _half_rise}[claim.comes_to]
    )


def _fall(series: pd.Series) -> float:
    return series.max() - series.iloc[-1]


def _half_rise(series: pd.Series) -> float:
    half = (series.iloc[0] + series.max()) / 2
    return series.index.get_level_values(-1)[series >= half][0]


def _correlations(of: pd.DataFrame, against: pd.DataFrame, claim: Claim) -> pd.Series:
    """One value per seed."""
    keys = [*claim.groups, claim.over]
    one, other = (part.groupby(keys).value.mean() for part in (of, against))
    pairs = pd.DataFrame({"one": one, "other": other}).dropna()
    found = pairs.groupby(claim.groups).apply(
        lambda own: own.corr("spearman").iloc[0, 1] if _vary(own) else math.nan
    )
    return found.groupby("seed").agg(claim.worst)


def _vary(pairs: pd.DataFrame) -> bool:
    return len(pairs) >= FEWEST and pairs.nunique().min() > 1


def _judgement(low: float, high: float, claim: Claim) -> str:
    below, above = high < claim.threshold, low > claim.threshold
    if not (below or above):
        return "undecided"
    return "supported" if below == (claim.expect == "below") else "not supported"


def _undertrained(results: pd.DataFrame, defences: set[str]) -> bool:
    clean = chosen(results, CLEAN | {"defence": sorted(defences)})
    if clean.empty:  # a toy trains no network
        return False
    least = least_accuracy(results[results.quantity == "classes"].value.iloc[0])
    return bool((clean.groupby(["defence", "seed"]).value.mean() < least).any())


def text_of(claim: Claim) -> str:
    """The claim in the paper's terms. Raises StudyError if the reference file has no such id."""
    file = Path(paths.REFERENCES) / f"{claim.paper}.yaml"
    texts = {known["id"]: known["text"] for known in read(file)[0]["claims"]}
    if claim.claim not in texts:
        raise StudyError(f"{file}: no claim {claim.claim!r}; choose from {', '.join(texts)}")
    return texts[claim.claim] + (f" (tested: {claim.tested})" if claim.tested else "")


def _name(where: dict) -> str:
    return " ".join(
        "/".join(map(str, value)) if isinstance(value, list) else str(value)
        for value in where.values()
    )


if __name__ == "__main__":
    main(run, "claims")
