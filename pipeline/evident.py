"""Which results the committed evidence is of: finished units, by the targets of their studies."""

from collections import Counter
from pathlib import Path

from pipeline.reached import Result, Runs, of_result, of_targets, together
from pipeline.study import load

EVIDENCE, STUDIES = Path("benchmarks/evidence"), Path("studies/evidence")
Units = list[tuple[dict[str, Runs], Counter]]  # targets of a study; seeds by setting and defence


def units(paper: str) -> Units:
    """The studies of the paper that have finished units, and which."""
    found = []
    for file in sorted(STUDIES.glob("*.yaml")):
        study = load(file)
        if paper in {claim["paper"] for claim in study["claims"].values()}:
            records = (EVIDENCE / study["name"]).glob("*/*/*/*/unit.json")
            done = Counter(one.parts[-5:-2] for one in records)
            found += [(of_targets(study), done)] if done else []
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
