"""State of a unit under way: the commits that its halves are pinned to, and their cost so far.

Both halves are pinned to the commit at which the unit begins. A failure may be a full disk, so a
half that failed once is tried again at its commit; one that fails there again is unpinned if its
code or its study has changed in meaning, and begins again with them.
"""

import datetime
import shutil
from pathlib import Path
from typing import Any

from pipeline.evidence import checkouts, fingerprint, steps
from pipeline.evidence.units import EARLIER, HOME, RUN, Unit
from pipeline.results import sealed_text
from pipeline.study.checked import load
from robustinfo.core.errors import UserError
from robustinfo.core.files import disk_errors

# seconds: of one core.  date: of its end; of the commit of a network that was adopted.
# failures: at this commit.
INITIAL = {"commit": None, "seconds": 0.0, "date": None, "failures": 0}
# Files of a training in the folder of its run.
TRAINING_FILES = {"model.safetensors", "snapshots", "history.csv", Path(EARLIER).name, ".training"}


def path(unit: Unit) -> Path:
    """Path of the unit's state file."""
    return HOME / "begun" / unit.name / "begun.json"


def read(unit: Unit) -> dict[str, dict[str, Any]]:
    """{half: state} of the unit; INITIAL before anything is recorded."""
    stored = sealed_text.read_json(path(unit)) if path(unit).exists() else {}
    return {half: INITIAL | stored.get(half, {}) for half in steps.HALVES}


def update(unit: Unit, half: str, **changes: Any) -> None:  # noqa: ANN401
    """Record changes in the state of one half."""
    state = read(unit)
    sealed_text.write_json(path(unit), state | {half: state[half] | changes})


def pinned_commit(unit: Unit, half: str) -> str:
    """The commit that the half is pinned to; without one, pin both halves to the current commit."""
    if read(unit)[half]["commit"] is None:
        commit = checkouts.head()
        committed = checkouts.at(commit) / unit.study_file
        if not committed.exists() or load(committed) != load(Path(unit.study_file)):
            raise UserError(
                f"{unit.study_file} is not as it was committed: a unit begins at a commit"
            )
        for other_half in steps.HALVES:
            if read(unit)[other_half]["commit"] is None:
                update(unit, other_half, commit=commit)
    return read(unit)[half]["commit"]


def record_failure(unit: Unit, half: str) -> bool:
    """Count a failure of the half, and unpin it if a try with the current code may succeed.

    Returns whether it was unpinned.
    """
    state = read(unit)[half]
    update(unit, half, failures=state["failures"] + 1)
    if not state["failures"]:
        return False
    then, now = (checkouts.at(commit) for commit in (state["commit"], checkouts.head()))
    if fingerprint.of_half(unit, half, then) == fingerprint.of_half(unit, half, now):
        return False
    unpin(unit, half)
    return True


def unpin(unit: Unit, half: str) -> None:
    """Unpin a half and those after it, so that they begin at another commit.

    Files of a measuring are removed: no unit mixes two commits. A training checks its own files.
    """
    reset = dict.fromkeys(steps.HALVES[steps.HALVES.index(half) :], INITIAL)
    sealed_text.write_json(path(unit), read(unit) | reset)
    folder = unit.path(RUN)
    with disk_errors(folder):
        for entry in [*folder.glob("*")]:
            if entry.name not in TRAINING_FILES:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def today() -> str:
    """The date in UTC."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()
