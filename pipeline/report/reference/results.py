"""Of the reference: what the results of a study hold, and which stages write them."""

import ast
from pathlib import Path

from pipeline.report.reference.words import table
from pipeline.results import rows
from pipeline.run import contract
from pipeline.study import foretold, meanings, outline, tested
from pipeline.study.slices import key_of

COLUMNS = (*rows.RUN, *rows.OWN, *rows.VALUE)
# Whose docstrings say what the rows of a stage are called; methods say their own.
STAGES = {
    "data": [outline.of_defences],
    "train": [outline.of_training],
    "select": [outline.of_selection],
    "attack": [tested.of_attacks],
    "measure": [outline.of_snapshots, foretold.of_diagnostics],
    "complexity": [tested.of_complexities],
    "distort": [tested.of_distortions],
    "diagnose": [tested.of_diagnostics, tested.together, foretold.of_diagnostics],
    "transfer": [tested.of_transfer, tested.together],
    "learn": [foretold.learned],
    "detect": [foretold.detected],
}
INTRODUCTION = """## Quantities

What the column `quantity` holds, by the column `stage`. What a method calls its own stands
with the method: [measures](#measures), [diagnostics](#diagnostics), [learning](#learning),
[toys](#toys), and the terms of the [defences](#defences) behind `train/`. Fractions are of all
images that were looked at, where nothing else is said."""


def parts() -> list[str]:
    """Markdown."""
    said = meanings.of_quantities(rows)
    columns = [[f"`{name}`", meanings.of_quantity(name, said)] for name in COLUMNS]
    return [
        "## Columns of the results",
        table(["column", "meaning"], columns),
        INTRODUCTION,
        *(part for stage in STAGES for part in _quantities(stage)),
        "## Stages",
        "A stage is a program; a job is one run of it, and sees no more of the study than this.",
        stages(),
    ]


def stages() -> str:
    """Every stage, from its file: what it is, one job for each what, what it may see and writes."""
    lines = []
    for name, one in contract.every().items():
        text = Path(one.program).read_text(encoding="utf-8")
        what = (ast.get_docstring(ast.parse(text)) or "").splitlines()[0].partition(": ")[2]
        each = ", ".join(one.jobs.values()) or "study"
        sections = {key_of(param).partition(".")[0] for param in one.params.values()}
        sees = ", ".join(sorted(sections)) or "-"
        writes = ", ".join(
            f"`{path.removeprefix(contract.RESULTS)}`" for path in one.writes.values()
        )
        lines.append([f"`{name}`", what, each, sees, writes])
    heads = [
        "stage",
        "what",
        "a job for each of",
        "sees of the study",
        "writes below results/STUDY/",
    ]
    return table(heads, lines)


def _quantities(stage: str) -> list[str]:
    said = meanings.of_quantities(*STAGES[stage])  # type: ignore[misc]
    lines = [[f"`{name}`", text] for name, text in said.items()]
    return [f"### {stage}", table(["quantity", "meaning"], lines)]
