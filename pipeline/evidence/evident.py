"""Which results the committed evidence is of: finished units, by the targets of the full study.

A study of the evidence is one of the paper's at another scale, under a name that begins like it.
Most show nothing themselves: their rows count for what the full study shows of such rows.
"""

from collections import Counter
from pathlib import Path
from typing import Any

from pipeline.evidence import plan
from pipeline.evidence.reached import Result, Runs, of_result, of_targets_in, together
from pipeline.evidence.units import RECORD, RECORDS
from pipeline.study.checked import load

Units = list[tuple[dict[str, Runs], Counter]]  # runs by target; seeds by setting and defence


def units(paper: str, full: dict[str, Any], listed: Path = plan.FILE) -> Units:
    """By listed study of the paper with finished units: the targets of ``full`` in it, and them.

    full: the paper's study that has all targets.
    """
    found = []
    for file in dict.fromkeys(item.study for item in plan.items(listed).values()):
        study = load(Path(file))
        if study["name"].startswith(paper):
            records = (RECORDS / study["name"]).glob(f"*/*/*/*/{RECORD}")
            done = Counter(one.parts[-5:-2] for one in records)
            found += [(of_targets_in(study, full), done)] if done else []
    return found


def told(result: Result, done: Units) -> str:
    """``mnist/lenet5: entropic, 3 seeds``, of the result's targets."""
    found = []
    for targets, seeds in done:
        for (dataset, model), defences in together(of_result(result, targets)).items():
            for defence in sorted(defences):
                if many := seeds[dataset, model, defence]:
                    plural = "s" * (many > 1)
                    found.append(f"{dataset}/{model}: {defence}, {many} seed{plural}")
    return "; ".join(dict.fromkeys(found)) or "-"
