"""Reference, results: their columns and quantities, and the stages that write them."""

import ast
from pathlib import Path

from pipeline.report.reference.markdown import table
from pipeline.results import rows
from pipeline.run import contract
from pipeline.study import meanings, outline, outline_entries, outline_tests, outline_trainings
from pipeline.study.slices import key_of

COLUMNS = (*rows.RUN, *rows.MEASURED_AT, *rows.VALUE)
# Functions whose docstrings name the quantities of a stage; those of methods have their own.
STAGES = {
    "data": [outline.of_defences],
    "train": [outline_trainings.of_training],
    "stop_early": [outline_trainings.of_stop_early],
    "select": [outline_trainings.of_selection],
    "attack": [outline_tests.of_attacks],
    "measure": [outline.of_snapshots, outline_entries.of_diagnostics],
    "complexity": [outline_tests.of_complexities],
    "distort": [outline_tests.of_distortions, outline_tests.of_distorted_layers],
    "diagnose": [
        outline_tests.of_diagnostics,
        outline_tests.of_threat_models,
        outline_entries.of_diagnostics,
    ],
    "transfer": [outline_tests.of_transfer, outline_tests.of_threat_models],
    "learn": [outline_entries.of_learning],
    "detect": [outline_entries.of_detection],
}
INTRODUCTION = """## Quantities

What the column `quantity` holds, by the column `stage`. What a method calls its own stands
with the method: [measures](#measures), [diagnostics](#diagnostics), [learning](#learning),
[toys](#toys), and the terms of the [defences](#defences) behind `train/`. Fractions are of all
images that were looked at, where nothing else is said."""


def parts() -> list[str]:
    """Markdown of the section."""
    column_meanings = meanings.of_quantities(rows)
    columns = [[f"`{name}`", meanings.of_quantity(name, column_meanings)] for name in COLUMNS]
    return [
        "## Columns of the results",
        table(["column", "meaning"], columns),
        INTRODUCTION,
        *(text for stage in STAGES for text in _quantities(stage)),
        "## Stages",
        "A stage is a program; a job is one run of it, and sees no more of the study than this.",
        stages(),
    ]


def stages() -> str:
    """Table of the stages, from their contracts: jobs, parameters and files."""
    lines = []
    for name, stage_contract in contract.read_all().items():
        text = Path(stage_contract.program).read_text(encoding="utf-8")
        description = (ast.get_docstring(ast.parse(text)) or "").splitlines()[0].partition(": ")[2]
        jobs_of = ", ".join(stage_contract.jobs.values()) or "study"
        sections = {key_of(param).partition(".")[0] for param in stage_contract.params.values()}
        sees = ", ".join(sorted(sections)) or "-"
        writes = ", ".join(
            f"`{path.removeprefix(contract.RESULTS)}`" for path in stage_contract.writes.values()
        )
        lines.append([f"`{name}`", description, jobs_of, sees, writes])
    heads = [
        "stage",
        "what",
        "a job for each of",
        "sees of the study",
        "writes below results/STUDY/",
    ]
    return table(heads, lines)


def _quantities(stage: str) -> list[str]:
    quantity_meanings = meanings.of_quantities(*STAGES[stage])  # type: ignore[misc]
    lines = [[f"`{name}`", text] for name, text in quantity_meanings.items()]
    return [f"### {stage}", table(["quantity", "meaning"], lines)]
