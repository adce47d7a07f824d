"""What is known of a unit under way: the commits that it is pinned to, and what it took so far.

Both halves are pinned to the commit at which the unit begins. A half that failed loses its pin:
it is tried next with the mended code.
"""

import datetime
import shutil
from pathlib import Path
from typing import Any

from pipeline import paths, sealed_text
from pipeline.evidence import checkouts, steps
from pipeline.evidence.units import EARLIER, HOME, Unit
from pipeline.study import load
from robustinfo.faults import Fault
from robustinfo.files import refusals

# seconds: of one core.  date: of its end.
NEW = {"commit": None, "seconds": 0.0, "date": None}
TRAINED = {Path(one).name for one in (*paths.WRITES["pretrain"], EARLIER)} | {".training"}


def file(unit: Unit) -> Path:
    """Where it waits."""
    return HOME / "begun" / unit.name / "begun.json"


def of(unit: Unit) -> dict[str, dict[str, Any]]:
    """What is known by half, at first nothing."""
    return (
        sealed_text.read_json(file(unit))
        if file(unit).exists()
        else dict.fromkeys(steps.HALVES, NEW)
    )


def note(unit: Unit, half: str, **told: Any) -> None:  # noqa: ANN401
    """Write down what is new of one half."""
    state = of(unit)
    sealed_text.write_json(file(unit), state | {half: state[half] | told})


def pinned(unit: Unit, half: str) -> str:
    """The commit that the half belongs to; now's, where it belongs to none yet."""
    if of(unit)[half]["commit"] is None:
        commit = checkouts.head()
        committed = checkouts.at(commit) / unit.study_file
        if not committed.exists() or load(committed) != load(Path(unit.study_file)):
            raise Fault(f"{unit.study_file} is not as it was committed: a unit begins at a commit")
        for one in steps.HALVES:
            if of(unit)[one]["commit"] is None:
                note(unit, one, commit=commit)
    return of(unit)[half]["commit"]


def unpin(unit: Unit, half: str) -> None:
    """Let it be tried at another commit, and all that follows it.

    What a measuring left goes: no unit mixes two commits. A training looks itself at what it left.
    """
    lost = dict.fromkeys(steps.HALVES[steps.HALVES.index(half) :], NEW)
    sealed_text.write_json(file(unit), of(unit) | lost)
    folder = unit.path(paths.RUN)
    with refusals(folder):
        for one in [*folder.glob("*")]:
            if one.name not in TRAINED:
                shutil.rmtree(one) if one.is_dir() else one.unlink()


def today() -> str:
    """The date in UTC."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()
