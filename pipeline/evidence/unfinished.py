"""A long training that can be committed before its end, and goes on from a fresh clone.

.../unfinished/ of a unit's record holds the sealed state of the training, the measures of all
snapshots so far, and the commit. The snapshots themselves stay behind: forty of a LeNet-5 would
take 10 MB. It goes on to the same bits with the same torch on a processor of the same kind;
elsewhere the training starts again, as resuming.py says.
"""

import shutil
from pathlib import Path

import pandas as pd

from pipeline.evidence import begun, children
from pipeline.evidence.records import room
from pipeline.evidence.steps import Step
from pipeline.evidence.units import EARLIER, HOME, RUN, UNFINISHED, Unit
from pipeline.results import rows
from pipeline.run import resuming
from pipeline.run.contract import template
from robustinfo.core.files import disk_errors

STATE, MEASURED, BEGUN = "state.safetensors", "measures.csv", "begun.json"


def keep(unit: Unit, checkout: Path, log: Path) -> str:
    """Leave what can be committed, and say what became of it. The training may be at work."""
    work, folder = unit.path(RUN) / ".training", unit.record / UNFINISHED
    if not (work / STATE).exists():
        return f"{unit.name} has no state yet"
    partial = HOME / "leaving" / STATE
    epochs = resuming.leave(work, partial)
    if (size := partial.stat().st_size) > room(unit):
        return (
            f"{unit.name}: a state of {size / 1e6:.1f} MB stays in {HOME}: it is beyond the budget"
        )
    _measure(unit, checkout, work, epochs, log)
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(unit.path(EARLIER), folder / MEASURED)
        shutil.copyfile(begun.file(unit), folder / BEGUN)
        partial.replace(folder / STATE)
    return f"git add {folder}  # an unfinished training"


def restore(unit: Unit) -> None:
    """Take up what another machine left, where nothing of the unit is under way here."""
    folder = unit.record / UNFINISHED
    if begun.file(unit).exists() or not folder.exists():
        return
    places = {
        STATE: unit.path(RUN) / ".training" / STATE,
        MEASURED: unit.path(EARLIER),
        BEGUN: begun.file(unit),  # last: it says that the rest is there
    }
    for name, place in places.items():
        with disk_errors(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / name, place)


def _measure(unit: Unit, checkout: Path, work: Path, epochs: list[int], log: Path) -> None:
    """Add the measures of snapshots that none are of yet to the earlier ones.

    The stage measures whatever snapshots a run has: here it meets a run that has just the new ones.
    """
    earlier = unit.path(EARLIER)
    known = rows.read(earlier) if earlier.exists() else None
    new = [epoch for epoch in epochs if known is None or epoch not in set(known.epoch)]
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
    children.work(checkout, step.arguments(unit.study_file), log, cwd=desk)
    told = rows.read(desk / template("measures").format(study=unit.study, **unit.names))
    rows.write_table(earlier, told if known is None else pd.concat([known, told]))
