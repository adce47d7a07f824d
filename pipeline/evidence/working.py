"""One unit from wherever it is to its record: trained, measured, put together."""

import json
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.evidence import asking, begun, carried, checkouts, children, records, unfinished
from pipeline.evidence.steps import Step
from pipeline.evidence.units import HOME, Unit
from robustinfo.core.errors import UserError
from robustinfo.core.files import AlteredFileError

EVERY = 3600  # seconds of a training between two states that can be committed
GLANCE = 0.2  # seconds between two looks at a training
Tell = Callable[[str], None]


def finish(unit: Unit, tell: Tell) -> None:
    """Go on with it to its end. Raises FailedError if a program fails, UserError for all else."""
    unfinished.restore(unit)
    for defence in unit.needs:
        records.provide(unit.of(defence), needed_by=unit)
    if begun.of(unit)["training"]["date"] is None:  # its steps may be done, and not written down
        _half(unit, "training", tell)
    _half(unit, "measuring", tell)
    records.publish(unit)


def _half(unit: Unit, half: str, tell: Tell) -> None:
    """Every step that is not done yet, in the checkout that the half is pinned to."""
    checkout = checkouts.at(begun.pinned(unit, half))
    asked = asking.of(unit, half, checkout)  # hours later it would be too late to refuse it
    _check_same_training(unit, checkout)
    for one in (*map(unit.of, unit.needs), *[unit][: half == "measuring"]):
        carried.carry_over(one)
    names = [word for name, value in unit.names.items() for word in (f"--{name}", value)]
    about = ["--study", unit.study_file, *names]
    try:
        with _counted(unit, half):
            told = children.asked(checkout, "-m", "pipeline.evidence.steps", *about)
            for step in (Step(*one) for one in json.loads(told)[half]):
                if not (step.writes and all((checkout / one).exists() for one in step.writes)):
                    tell(f"{unit.name}: {step.stage} {step.names.get('attack', '')}".rstrip())
                    _run(unit, step, checkout, tell)
            if half == "measuring":
                gather = ["-m", "pipeline.evidence.gather", *about]
                children.work(checkout, gather, _log(unit, "gather"))
    except children.FailedError as error:
        if not begun.give_up(unit, half):
            raise
        tell(f"{unit.name} failed twice and begins its {half} again, at the last commit: {error}")
        return _half(unit, half, tell)
    begun.note(unit, half, date=begun.today(), **asked)


def _run(unit: Unit, step: Step, checkout: Path, tell: Tell) -> None:
    log = _log(unit, "-".join([step.stage, *list(step.names.values())[2:]]))
    words = step.arguments(unit.study_file)
    with children.started(checkout, words, log) as child:
        if "snapshots" in map(_last, step.writes):
            _leave_hourly(unit, child, checkout, tell)
        children.ended(child, log)


def _leave_hourly(unit: Unit, child: subprocess.Popen, checkout: Path, tell: Tell) -> None:
    """While the training goes on: for the minute that this takes, there are two programs."""
    left = time.monotonic()
    while child.poll() is None:
        time.sleep(GLANCE)
        if time.monotonic() - left > EVERY:
            try:
                tell(unfinished.keep(unit, checkout, _log(unit, "unfinished")))
            except (AlteredFileError, FileNotFoundError):
                if child.poll() is None:  # else it ended meanwhile and tidied up
                    raise
            left = time.monotonic()


def _check_same_training(unit: Unit, checkout: Path) -> None:
    """A network is measured by a study that would train it as it was trained."""
    known = begun.of(unit)["training"]
    if known["date"] and known["asked"] != asking.of(unit, "training", checkout)["asked"]:
        raise UserError(
            f"{unit.name} was trained otherwise than {unit.study_file} now asks; "
            f"give that study another name, or delete {unit.record} to train it again"
        )


@contextmanager
def _counted(unit: Unit, half: str) -> Iterator[None]:
    """Add the processor's seconds of all programs in the block to those of the half."""
    before = _seconds()
    try:
        yield
    finally:
        spent = begun.of(unit)[half]["seconds"] + _seconds() - before
        begun.note(unit, half, seconds=round(spent, 1))


def _seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _log(unit: Unit, name: str) -> Path:
    return HOME / "logs" / unit.name / f"{name}.txt"


def _last(path: str) -> str:
    return Path(path).name
