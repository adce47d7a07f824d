"""What is known of a unit under way: the commits that it is pinned to, and what it took so far.

Both halves are pinned to the commit at which the unit begins. What failed may be a full disk, so a
half that failed once goes on at its commit; one that fails there again loses its pin if its code or
its study means something else by now, and begins again with them.
"""

import datetime
import shutil
from pathlib import Path
from typing import Any

from pipeline.evidence import asking, checkouts, steps
from pipeline.evidence.units import AS_TRAINED, EARLIER, HOME, RUN, Unit
from pipeline.results import sealed_text
from pipeline.study.checked import load
from robustinfo.core.errors import UserError
from robustinfo.core.files import disk_errors

# seconds: of one core.  date: of its end; of the commit of a network that was adopted.
# failures: at this commit.
NEW = {"commit": None, "seconds": 0.0, "date": None, "failures": 0}
# What a training leaves in the folder of its run.
TRAINED = {"model.safetensors", "snapshots", "history.csv", Path(EARLIER).name, ".training"}
TRAINED |= {AS_TRAINED}


def file(unit: Unit) -> Path:
    """Where it waits."""
    return HOME / "begun" / unit.name / "begun.json"


def of(unit: Unit) -> dict[str, dict[str, Any]]:
    """What is known by half, at first nothing."""
    known = sealed_text.read_json(file(unit)) if file(unit).exists() else {}
    return {half: NEW | known.get(half, {}) for half in steps.HALVES}


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
            raise UserError(
                f"{unit.study_file} is not as it was committed: a unit begins at a commit"
            )
        for one in steps.HALVES:
            if of(unit)[one]["commit"] is None:
                note(unit, one, commit=commit)
    return of(unit)[half]["commit"]


def give_up(unit: Unit, half: str) -> bool:
    """Count a failure of the half, and unpin it where another try could end otherwise."""
    known = of(unit)[half]
    note(unit, half, failures=known["failures"] + 1)
    if not known["failures"]:
        return False
    then, now = (checkouts.at(commit) for commit in (known["commit"], checkouts.head()))
    if asking.of(unit, half, then) == asking.of(unit, half, now):
        return False
    unpin(unit, half)
    return True


def unpin(unit: Unit, half: str) -> None:
    """Let it be tried at another commit, and all that follows it.

    What a measuring left goes: no unit mixes two commits. A training looks itself at what it left.
    """
    lost = dict.fromkeys(steps.HALVES[steps.HALVES.index(half) :], NEW)
    sealed_text.write_json(file(unit), of(unit) | lost)
    folder = unit.path(RUN)
    with disk_errors(folder):
        for one in [*folder.glob("*")]:
            if one.name not in TRAINED:
                shutil.rmtree(one) if one.is_dir() else one.unlink()


def today() -> str:
    """The date in UTC."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()
