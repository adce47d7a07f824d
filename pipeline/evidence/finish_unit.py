"""Finish one unit: train it, measure it, and publish its record."""

import json
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.evidence import (
    checkouts,
    fingerprint,
    records,
    subprocesses,
    unfinished,
    unit_state,
)
from pipeline.evidence.steps import Step
from pipeline.evidence.units import HOME, Unit
from robustinfo.core.errors import UserError
from robustinfo.core.files import AlteredFileError

EXPORT_SECONDS = 3600  # between two exports of a training
POLL_SECONDS = 0.2  # between two checks of a training
Report = Callable[[str], None]


def finish(unit: Unit, report: Report) -> None:
    """Finish the unit. Raises FailedError if a program fails, UserError for all else."""
    unfinished.restore(unit)
    for defence in unit.needs:
        records.provide_network(unit.of(defence), needed_by=unit)
    if unit_state.read(unit)["training"]["date"] is None:  # its steps may be done, and not recorded
        _finish_half(unit, "training", report)
    _finish_half(unit, "measuring", report)
    records.publish(unit)


def _finish_half(unit: Unit, half: str, report: Report) -> None:
    """Run every step of a half that is not done yet, in the checkout that it is pinned to."""
    checkout = checkouts.at(unit_state.pinned_commit(unit, half))
    # Before hours of work: a study may be refused.
    fingerprint_now = fingerprint.of_half(unit, half, checkout)
    _check_same_training(unit, checkout)
    names = [word for name, value in unit.names.items() for word in (f"--{name}", value)]
    options = ["--study", unit.study_file, *names]
    try:
        with _timed(unit, half):
            steps_json = subprocesses.output_of(checkout, "-m", "pipeline.evidence.steps", *options)
            for step in (Step(*fields) for fields in json.loads(steps_json)[half]):
                if not (step.writes and all((checkout / file).exists() for file in step.writes)):
                    report(f"{unit.name}: {step.stage} {step.names.get('attack', '')}".rstrip())
                    _run_step(unit, step, checkout, report)
            if half == "measuring":
                gather = ["-m", "pipeline.evidence.gather", *options]
                subprocesses.run(checkout, gather, _log(unit, "gather"))
    except subprocesses.FailedError as error:
        if not unit_state.record_failure(unit, half):
            raise
        report(f"{unit.name} failed twice and begins its {half} again, at the last commit: {error}")
        return _finish_half(unit, half, report)
    unit_state.update(unit, half, date=unit_state.today(), **fingerprint_now)


def _run_step(unit: Unit, step: Step, checkout: Path, report: Report) -> None:
    log = _log(unit, "-".join([step.stage, *list(step.names.values())[2:]]))
    words = step.arguments(unit.study_file)
    with subprocesses.start(checkout, words, log) as child:
        if "snapshots" in map(_file_name, step.writes):
            _export_hourly(unit, child, checkout, report)
        subprocesses.wait(child, log)


def _export_hourly(unit: Unit, child: subprocess.Popen, checkout: Path, report: Report) -> None:
    """Export the state of a running training every hour, with a second program for a minute."""
    last_export = time.monotonic()
    while child.poll() is None:
        time.sleep(POLL_SECONDS)
        if time.monotonic() - last_export > EXPORT_SECONDS:
            try:
                report(unfinished.export(unit, checkout, _log(unit, "unfinished")))
            except (AlteredFileError, FileNotFoundError):
                if child.poll() is None:  # else it ended meanwhile and tidied up
                    raise
            last_export = time.monotonic()


def _check_same_training(unit: Unit, checkout: Path) -> None:
    """Check that the study would still train the network as it was trained."""
    training = unit_state.read(unit)["training"]
    if (
        training["date"]
        and training["asked"] != fingerprint.of_half(unit, "training", checkout)["asked"]
    ):
        raise UserError(
            f"{unit.name} was trained otherwise than {unit.study_file} now asks; "
            f"give that study another name, or delete {unit.record} to train it again"
        )


@contextmanager
def _timed(unit: Unit, half: str) -> Iterator[None]:
    """Add the CPU seconds of all programs in the block to those of the half."""
    before = _seconds()
    try:
        yield
    finally:
        spent = unit_state.read(unit)[half]["seconds"] + _seconds() - before
        unit_state.update(unit, half, seconds=round(spent, 1))


def _seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _log(unit: Unit, name: str) -> Path:
    return HOME / "logs" / unit.name / f"{name}.txt"


def _file_name(path: str) -> str:
    return Path(path).name
