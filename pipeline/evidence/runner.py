"""The runner: works through the units, one at a time, until it is finished or stopped."""

import json
import os
import signal
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from pipeline.evidence import coverage, finish_unit, page, subprocesses, unit_state
from pipeline.evidence.subprocesses import PATIENCE, FailedError
from pipeline.evidence.units import HOME, Unit
from pipeline.results import sealed_text
from pipeline.run import driver
from robustinfo.core.errors import UserError
from robustinfo.core.files import AlteredFileError, disk_errors

LOCK, OWNER = HOME / "lock", HOME / "owner.json"
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StoppedError(UserError):
    """The runner was asked to stop."""


def run(report: Callable[[str], None] = print) -> None:
    """Finish all units of the list. Raises UserError, at the end, if some failed.

    report: takes lines for the user.
    """
    with hold_lock():
        failed: dict[str, str] = {}
        units: list[Unit] = []
        while unit := _next_unit(units := _read_list(units, report), failed):
            try:
                finish_and_report(unit, report)
            except StoppedError:
                raise
            except UserError as error:
                failed[unit.name] = str(error)
                report(f"failed: {error}")
        if failed:
            first_error = next(iter(failed.values()))
            raise UserError(f"{len(failed)} units failed: {', '.join(failed)}; {first_error}")
        report("every unit of the list is finished")


def finish_and_report(unit: Unit, report: Callable[[str], None] = print) -> None:
    """Finish a unit, rewrite the pages, and report what to commit; the lock must be held."""
    sealed_text.write_json(OWNER, {"process": os.getpid(), "unit": unit.name})
    finish_unit.finish(unit, report)
    pages = f"{page.FILE} {coverage.FILE}"
    try:  # in a separate program: the code may have changed since this one started
        subprocesses.output_of(Path(), "-m", "pipeline", "evidence", "page")
    except FailedError as error:
        report(f"{pages} are not all new: {error}; later: python -m pipeline evidence page")
    report(f"git add {unit.record} {pages} && git commit -m 'Evidence: {unit.name}'")


@contextmanager
def hold_lock() -> Iterator[None]:
    """Hold the runner's lock; a signal to stop raises StoppedError.

    The system frees the lock of a dead process; its programs end by themselves (driver.py).
    """
    with disk_errors(LOCK):
        (HOME / "results").mkdir(parents=True, exist_ok=True)
    lock = FileLock(LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise UserError(
            f"another runner is at work{_where()}; stop it with: python -m pipeline evidence stop"
        ) from None
    try:
        _await_orphans()
        driver.set_job_environment()
        for number in SIGNALS:
            signal.signal(number, _stop)
        yield
    finally:
        OWNER.unlink(missing_ok=True)
        lock.release()


def stop() -> str:
    """Stop the runner, and wait until it has ended. Returns a sentence on the outcome."""
    if (owner := _owner()) is None:
        return "no runner is at work"
    owner.terminate()
    deadline = time.monotonic() + 3 * PATIENCE
    while time.monotonic() < deadline:
        if _owner() is None:
            return "stopped; `make evidence` goes on where it was"
        time.sleep(0.2)
    raise UserError(f"process {owner.pid} does not end; look at {HOME}/logs")


def current_unit() -> str | None:
    """Name of the unit that a runner works at; None without a runner."""
    return sealed_text.read_json(OWNER)["unit"] if _owner() else None


def _next_unit(units: list[Unit], failed: Collection[str]) -> Unit | None:
    """The first unit that is not finished, or is to be measured again; None if there is none."""
    for unit in units:
        if unit.name not in failed and (not unit.is_finished or unit_state.path(unit).exists()):
            return unit
    return None


def _read_list(last_list: list[Unit], report: Callable[[str], None]) -> list[Unit]:
    """The current list, read by a separate program; the last one if a study has an error."""
    try:
        listed = json.loads(subprocesses.output_of(Path(), "-m", "pipeline.evidence.plan"))
    except FailedError as error:
        if not last_list:
            raise
        report(f"the list stays as it was: {error}")
        return last_list
    return [Unit._make((*fields[:-1], tuple(fields[-1]))) for fields in listed]


def _stop(number: int, frame: object) -> None:
    for signal_number in SIGNALS:  # once is enough
        signal.signal(signal_number, signal.SIG_IGN)
    raise StoppedError("stopped; `make evidence` goes on where it was")


def _owner() -> psutil.Process | None:
    if not OWNER.exists():
        return None
    with suppress(psutil.NoSuchProcess, AlteredFileError):  # it may end at any moment
        process = psutil.Process(sealed_text.read_json(OWNER)["process"])
        if "pipeline evidence" in " ".join(process.cmdline()):
            return process
    return None


def _await_orphans() -> None:
    """Wait until the programs of a killed runner have ended, which they do within seconds."""
    if not OWNER.exists():
        return
    dead = str(sealed_text.read_json(OWNER)["process"])
    deadline = time.monotonic() + 3 * PATIENCE
    while any(_is_child_of(process, dead) for process in psutil.process_iter()):
        if time.monotonic() > deadline:
            raise UserError(
                f"programs of the runner {dead}, which was killed, do not end; stop them"
            )
        time.sleep(0.2)


def _is_child_of(process: psutil.Process, runner: str) -> bool:
    with suppress(psutil.Error):
        return process.environ().get(driver.DRIVER) == runner
    return False


def _where() -> str:
    name = current_unit()
    return f", at {name}" if name else ""
