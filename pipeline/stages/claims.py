"""Stage claims: every claim of the study as a computed statistic, judged on our results.

writes  results/{study}/claims.csv  claim, statistic, value, low, high, scope, n, seeds, published,
                                    smaller_than_paper, p, p_holm, uncorrected, judgement, reason,
                                    saturated, sentence, text, source

The statistic is a value of the results, or a difference, ratio or rank correlation of two
selections, seed by seed, and image by image where the outcome of each is known. Its interval is
that of ``robustinfo.maths.statistics``, never narrower than its images allow; ``scope`` is what
it generalises to: the method, its trainings on these images, one network, or an exact value.
published: the paper's value in this setting, from its own runs; smaller_than_paper: how ours are
smaller. p is two-sided, against the threshold.

Supported: p is below 0.05 on the claimed side of the threshold; not supported: on the other; else
undecided, with the ``reason``. ``judgement`` is by p after Holm's correction over all claims of the
study that could be decided, in every setting; ``uncorrected`` is that of the claim alone.

A claim stays undecided with one seed; where a network's clean accuracy is too low
(``undertrained``; ``claim_judgement.min_clean_accuracy``); where half or more of the values of a
side are at their ceiling, in any of the groups that must all show the claim (``saturated``; the
column of that name is the greatest such fraction); where the sides differ in what the claim
requires to be ``alike``, as the accuracy of two networks, which would explain their difference
(``confounded``); and where a defence of the claim was not trained, as no layer was selected for it.
"""

import math
from itertools import product
from typing import Any

import pandas as pd

from pipeline.results import rows
from pipeline.results.claim_judgement import UNDECIDABLE, judge_claim, undecided_claim
from pipeline.results.collected import read_results, read_untrained
from pipeline.results.outcomes import read_outcomes
from pipeline.results.statistics import select_rows
from pipeline.results.untrained import UNTRAINED
from pipeline.run.job import Job
from pipeline.stages._scale import SCALE
from pipeline.study import scale
from pipeline.study.claim import SETTING, Claim, claim_text, published_text, reference
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
    """Judge every claim in every setting, or toy, that has rows for it."""
    collected = job.paths("results")
    results, untrained = read_results(collected), read_untrained(collected)
    outcomes = read_outcomes(job.files("per_image"))
    claims = {name: Claim(**numbers) for name, numbers in job.params["claims"].items()}
    lines = []
    for name, claim in claims.items():
        claim_columns = {
            "claim": name,
            "text": claim_text(claim),
            "source": claim.paper or "control",
        }
        claim_lines = []
        for setting, rows_of_setting in results.groupby([*SETTING], sort=False):
            names = dict(zip(SETTING, setting, strict=True))
            judged: dict | None
            if missing := _untrained_defences(select_rows(untrained, names), claim):
                judged = undecided_claim(claim, f"{', '.join(missing)}: {UNTRAINED}")
            else:
                judged = judge_claim(rows_of_setting, claim, select_rows(outcomes, names))
            if judged:
                paper = published_text(claim, names)
                smaller = _reductions(claim, names, job.params) if paper else ""
                claim_lines.append(
                    names
                    | claim_columns
                    | judged
                    | {"published": paper, "smaller_than_paper": smaller}
                )
        if not claim_lines:
            raise StudyError(f"claim {name} selects no result: {claim.of} against {claim.against}")
        lines += claim_lines
    correct_multiple_tests(lines, claims)
    rows.write_table(job.writes["claims"], pd.DataFrame(lines, columns=COLUMNS))


def _reductions(claim: Claim, names: dict[str, str], study: dict) -> str:
    """How the runs of a claim are smaller than the paper's (scale.py), each part once."""
    study_here = in_setting(study, names)
    parts: dict[str, None] = {}
    paper = scale.of_paper(reference(claim), names["dataset"], names["model"])
    if paper is None:
        return ""
    for side in filter(None, (claim.of, claim.against)):
        filters: dict[str, Any] = {
            "stage": "",
            "entry": "",
            "input": "",
            "defence": [*study_here["defences"]],
        }
        filters |= side | names
        columns = [value if isinstance(value, list) else [value] for value in filters.values()]
        for cell in product(*columns):
            reductions = scale.smaller_than_paper(
                study_here, dict(zip(filters, cell, strict=True)), paper
            )
            parts |= dict.fromkeys(filter(None, reductions.split("; ")))
    return "; ".join(parts)


def _untrained_defences(untrained: pd.DataFrame, claim: Claim) -> list[str]:
    """Defences of a claim that were not trained. untrained: of one setting."""
    defences = []
    for side in (claim.of, claim.against or {}):
        if "defence" in side:
            where = {name: side[name] for name in (*SETTING, "defence") if name in side}
            defences += [*select_rows(untrained, where).defence]
    return sorted(set(defences))


def correct_multiple_tests(lines: list[dict], claims: dict[str, Claim]) -> None:
    """Add p by Holm, the judgement by it, and the sentence to the claims of a study.

    lines: from ``judge_claim``, with the ``claim``'s name. Exact and undecidable claims are not in
    the family of tests.
    """
    for line in lines:
        line["p_holm"] = line["p"] if line["scope"] == "exact" else math.nan
        line["judgement"] = line["uncorrected"]
    sampled = [line for line in lines if line["scope"] in ("method", "training")]
    family = [line for line in sampled if line["uncorrected"] not in UNDECIDABLE]
    for line, p in zip(family, holm([line["p"] for line in family]), strict=True):
        line["p_holm"] = p
        if line["judgement"] != "undecided" and p >= 1 - LEVEL:
            line |= {"judgement": "undecided", "reason": f"one of {len(family)} claims (Holm)"}
    for line in lines:
        sentence = claims[line["claim"]].says.get(line["judgement"], "")
        values = {key: line[key] for key in ("value", "low", "high")}
        line["sentence"] = sentence.format(**values)
