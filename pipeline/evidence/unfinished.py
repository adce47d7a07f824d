"""Unfinished trainings: exported to be committed, and resumed from a fresh clone.

.../unfinished/ of a unit's record holds the sealed state of the training, the measures of all
snapshots so far, and the commit. The snapshots themselves are not exported: forty of a LeNet-5
would take 10 MB. It resumes to the same bits with the same torch on a processor of the same kind;
elsewhere the training starts again (resuming.py).
"""

import shutil
from pathlib import Path

import pandas as pd

from pipeline.evidence import subprocesses, unit_state
from pipeline.evidence.records import budget_left
from pipeline.evidence.steps import Step
from pipeline.evidence.units import EARLIER, HOME, RUN, UNFINISHED, Unit
from pipeline.results import rows
from pipeline.run import resuming
from pipeline.run.contract import template
from robustinfo.core.files import disk_errors

STATE, MEASURED, UNIT_STATE = "state.safetensors", "measures.csv", "begun.json"


def export(unit: Unit, checkout: Path, log: Path) -> str:
    """Export the state of a training, which may be running. Returns a line on the outcome."""
    work, folder = unit.path(RUN) / ".training", unit.record / UNFINISHED
    if not (work / STATE).exists():
        return f"{unit.name} has no state yet"
    partial = HOME / "leaving" / STATE
    epochs = resuming.export_state(work, partial)
    if (size := partial.stat().st_size) > budget_left(unit):
        return (
            f"{unit.name}: a state of {size / 1e6:.1f} MB stays in {HOME}: it is beyond the budget"
        )
    _measure_new_snapshots(unit, checkout, work, epochs, log)
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(unit.path(EARLIER), folder / MEASURED)
        shutil.copyfile(unit_state.path(unit), folder / UNIT_STATE)
        partial.replace(folder / STATE)
    return f"git add {folder}  # an unfinished training"


def restore(unit: Unit) -> None:
    """Restore an exported training, unless the unit is under way here."""
    folder = unit.record / UNFINISHED
    if unit_state.path(unit).exists() or not folder.exists():
        return
    places = {
        STATE: unit.path(RUN) / ".training" / STATE,
        MEASURED: unit.path(EARLIER),
        UNIT_STATE: unit_state.path(unit),  # last: it marks that the rest is there
    }
    for name, place in places.items():
        with disk_errors(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / name, place)


def _measure_new_snapshots(
    unit: Unit, checkout: Path, work: Path, epochs: list[int], log: Path
) -> None:
    """Measure new snapshots, and add their measures to the earlier ones.

    The stage measure gets a copy of the run that has the new snapshots only.
    """
    earlier = unit.path(EARLIER)
    earlier_measures = rows.read(earlier) if earlier.exists() else None
    new = [
        epoch
        for epoch in epochs
        if earlier_measures is None or epoch not in set(earlier_measures.epoch)
    ]
    if not new:
        return
    desk = HOME / "desk"
    shutil.rmtree(desk, ignore_errors=True)
    snapshots = desk / template("snapshots").format(study=unit.study, **unit.names)
    snapshots.mkdir(parents=True)
    for file in checkout.iterdir():
        if file.name != "results":
            (desk / file.name).symlink_to(file.absolute())
    for epoch in new:
        shutil.copy(resuming.snapshot(work, epoch), snapshots)
    data = template("data").format(study=unit.study, dataset=unit.dataset)
    shutil.copyfile(HOME / data, desk / data)
    step = Step("measure", unit.names, [])
    subprocesses.run(checkout, step.arguments(unit.study_file), log, cwd=desk)
    new_measures = rows.read(desk / template("measures").format(study=unit.study, **unit.names))
    rows.write_table(
        earlier,
        new_measures if earlier_measures is None else pd.concat([earlier_measures, new_measures]),
    )
