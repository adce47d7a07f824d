"""Finished units of the evidence, by the targets of the paper's full study that show their rows.

A study of the evidence is the paper's at another scale, under a name that begins with the paper's.
Most have no targets of their own: their rows count for the targets of the full study.
"""

from collections import Counter
from pathlib import Path
from typing import Any

from pipeline.evidence import plan
from pipeline.evidence.target_runs import Result, Runs, all_runs, runs_of_result, runs_of_targets_in
from pipeline.evidence.units import RECORD, RECORDS
from pipeline.study.checked import load

Units = list[tuple[dict[str, Runs], Counter]]  # runs by target; seeds by setting and defence


def of_paper(paper: str, full: dict[str, Any], listed: Path = plan.FILE) -> Units:
    """(runs by target of ``full``, seeds by run) of each listed study of the paper.

    full: the paper's study that has all targets. Studies without finished units are left out.
    """
    by_study = []
    for file in dict.fromkeys(item.study for item in plan.items(listed).values()):
        study = load(Path(file))
        if study["name"].startswith(paper):
            records = (RECORDS / study["name"]).glob(f"*/*/*/*/{RECORD}")
            finished = Counter(record.parts[-5:-2] for record in records)
            by_study += [(runs_of_targets_in(study, full), finished)] if finished else []
    return by_study


def summary(result: Result, finished: Units) -> str:
    """``mnist/lenet5: entropic, 3 seeds``, of the result's targets."""
    texts = []
    for targets, seeds in finished:
        for (dataset, model), defences in all_runs(runs_of_result(result, targets)).items():
            for defence in sorted(defences):
                if count := seeds[dataset, model, defence]:
                    plural = "s" * (count > 1)
                    texts.append(f"{dataset}/{model}: {defence}, {count} seed{plural}")
    return "; ".join(dict.fromkeys(texts)) or "-"
