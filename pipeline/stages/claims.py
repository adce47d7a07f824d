"""Stage claims: every claim of the study as a computed statement, judged on our numbers.

writes  results/{study}/claims.csv  claim, statistic, value, low, high, scope, n, seeds, published,
                                    smaller_than_paper, p, p_holm, uncorrected, judgement, reason,
                                    saturated, sentence, text, source

The statistic is a value of the results, or a difference, ratio or rank correlation of two
selections, seed by seed, and image by image where the outcome of each is known. Its interval is
that of ``robustinfo.maths.statistics``, never narrower than its images allow; ``scope`` says what
it speaks of: the method, its trainings on these images, one network, or an exact value. published:
what the paper prints for it in this setting, of its own runs; smaller_than_paper: in what
ours are smaller. p is two-sided, against the threshold.

Supported: p is below 0.05 on the claimed side of the threshold; not supported: on the other; else
undecided, with the ``reason``. ``judgement`` is by p after Holm's correction over all claims of the
study that could be decided, in every setting; ``uncorrected`` is that of the claim alone.

One seed decides nothing about a method. Nor does a network that classifies clean images too badly
to show anything (``undertrained``; see ``decided.least_clean``), nor values of which half or more
sit at their ceiling, on either side, in any of the groups that must all show the claim: there they
move with nothing (``saturated``; the column of that name is the greatest such share). Nor do sides
that differ in what the claim asks them to have ``alike``, as two networks' accuracy, which would
explain their difference (``confounded``). Nor is anything said where a defence that a claim names
was not trained, as no layer was selected for it.
"""

import math
from itertools import product
from typing import Any

import pandas as pd

from pipeline.results import rows
from pipeline.results.collected import results_of, untrained_of
from pipeline.results.decided import UNDECIDABLE, judged, unanswered
from pipeline.results.outcomes import outcomes_of
from pipeline.results.statistics import chosen
from pipeline.results.untrained import UNTRAINED
from pipeline.run.job import Job
from pipeline.stages._scale import SCALE
from pipeline.study import scale
from pipeline.study.claim import SETTING, Claim, published, reference, text_of
from pipeline.study.slices import in_setting
from pipeline.study.strict_yaml import StudyError
from robustinfo.maths.statistics import LEVEL, holm

READS = ["results", "per_image"]
WRITES = {"claims": "claims.csv"}
PARAMS = {**SCALE, "claims": "claims"}
FILES = ["studies/references/*.yaml"]

VALUES = [
    "claim", "statistic", "value", "low", "high", "scope", "n", "seeds", "published",
    "smaller_than_paper", "p", "p_holm", "uncorrected", "judgement", "reason", "saturated",
    "sentence", "text", "source",
]  # fmt: skip
COLUMNS = [*SETTING, *VALUES]


def run(job: Job) -> None:
    """Judge every claim in every setting, or toy, that has results of what it speaks of."""
    collected = job.paths("results")
    results, untrained = results_of(collected), untrained_of(collected)
    outcomes = outcomes_of(job.files("per_image"))
    claims = {name: Claim(**numbers) for name, numbers in job.params["claims"].items()}
    lines = []
    for name, claim in claims.items():
        about = {"claim": name, "text": text_of(claim), "source": claim.paper or "control"}
        found = []
        for setting, own in results.groupby([*SETTING], sort=False):
            names = dict(zip(SETTING, setting, strict=True))
            one: dict | None
            if lacking := _lacking(chosen(untrained, names), claim):
                one = unanswered(claim, f"{', '.join(lacking)}: {UNTRAINED}")
            else:
                one = judged(own, claim, chosen(outcomes, names))
            if one:
                paper = published(claim, names)
                smaller = _smaller(claim, names, job.params) if paper else ""
                found.append(
                    names | about | one | {"published": paper, "smaller_than_paper": smaller}
                )
        if not found:
            raise StudyError(f"claim {name} selects no result: {claim.of} against {claim.against}")
        lines += found
    corrected(lines, claims)
    rows.write_table(job.writes["claims"], pd.DataFrame(lines, columns=COLUMNS))


def _smaller(claim: Claim, names: dict[str, str], study: dict) -> str:
    """In what the runs of a claim are smaller than the paper's (scale.py), each part once."""
    own = in_setting(study, names)
    parts: dict[str, None] = {}
    paper = scale.of_paper(reference(claim), names["dataset"], names["model"])
    if paper is None:
        return ""
    for side in filter(None, (claim.of, claim.against)):
        about: dict[str, Any] = {
            "stage": "",
            "entry": "",
            "input": "",
            "defence": [*own["defences"]],
        }
        about |= side | names
        columns = [one if isinstance(one, list) else [one] for one in about.values()]
        for cell in product(*columns):
            told = scale.smaller(own, dict(zip(about, cell, strict=True)), paper)
            parts |= dict.fromkeys(filter(None, told.split("; ")))
    return "; ".join(parts)


def _lacking(untrained: pd.DataFrame, claim: Claim) -> list[str]:
    """The defences that a claim names and that were not trained. untrained: of one setting."""
    found = []
    for side in (claim.of, claim.against or {}):
        if "defence" in side:
            asked = {name: side[name] for name in (*SETTING, "defence") if name in side}
            found += [*chosen(untrained, asked).defence]
    return sorted(set(found))


def corrected(lines: list[dict], claims: dict[str, Claim]) -> None:
    """Adds to the claims of a study their p by Holm, the judgement by it, and the sentence.

    lines: as of ``judged``, with the ``claim``'s name. What is exact, or cannot be decided at all,
    is no member of the family: no chance can decide it.
    """
    for one in lines:
        one["p_holm"] = one["p"] if one["scope"] == "exact" else math.nan
        one["judgement"] = one["uncorrected"]
    sampled = [one for one in lines if one["scope"] in ("method", "training")]
    family = [one for one in sampled if one["uncorrected"] not in UNDECIDABLE]
    for one, p in zip(family, holm([one["p"] for one in family]), strict=True):
        one["p_holm"] = p
        if one["judgement"] != "undecided" and p >= 1 - LEVEL:
            one |= {"judgement": "undecided", "reason": f"one of {len(family)} claims (Holm)"}
    for one in lines:
        sentence = claims[one["claim"]].says.get(one["judgement"], "")
        one["sentence"] = sentence.format(**{key: one[key] for key in ("value", "low", "high")})
