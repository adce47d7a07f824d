"""The runner: one unit after the other, alone, until it is told to stop."""

import json
import os
import signal
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from pipeline.evidence import begun, children, coverage, page, working
from pipeline.evidence.children import PATIENCE, FailedError
from pipeline.evidence.units import HOME, Unit
from pipeline.results import sealed_text
from pipeline.run import driver
from robustinfo.core.errors import UserError
from robustinfo.core.files import AlteredFileError, disk_errors

LOCK, OWNER = HOME / "lock", HOME / "owner.json"
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StoppedError(UserError):
    """Somebody asked the runner to end."""


def run(tell: Callable[[str], None] = print) -> None:
    """All units that are not finished. Raises UserError, at the end, for those that failed."""
    with alone():
        failed: dict[str, str] = {}
        listed: list[Unit] = []
        while unit := _next(listed := _listed(listed, tell), failed):
            try:
                one(unit, tell)
            except StoppedError:
                raise
            except UserError as error:
                failed[unit.name] = str(error)
                tell(f"failed: {error}")
        if failed:
            first = next(iter(failed.values()))
            raise UserError(f"{len(failed)} units failed: {', '.join(failed)}; {first}")
        tell("every unit of the list is finished")


def one(unit: Unit, tell: Callable[[str], None] = print) -> None:
    """Finish a unit; the lock must be held. It says what there is to commit."""
    sealed_text.write_json(OWNER, {"process": os.getpid(), "unit": unit.name})
    working.finish(unit, tell)
    pages = f"{page.FILE} {coverage.FILE}"
    try:  # by a program of its own: the files that it compares may have changed meanwhile
        children.asked(Path(), "-m", "pipeline", "evidence", "page")
    except FailedError as error:
        tell(f"{pages} are not all new: {error}; later: python -m pipeline evidence page")
    tell(f"git add {unit.record} {pages} && git commit -m 'Evidence: {unit.name}'")


@contextmanager
def alone() -> Iterator[None]:
    """Hold the one lock, and end with StoppedError when asked to end.

    The system frees the lock of a process that died; its programs end by themselves (driver.py).
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
        driver.lead()
        for number in SIGNALS:
            signal.signal(number, _stop)
        yield
    finally:
        OWNER.unlink(missing_ok=True)
        lock.release()


def stop() -> str:
    """Ask the runner to end, and wait until it has."""
    if (owner := _owner()) is None:
        return "no runner is at work"
    owner.terminate()
    until = time.monotonic() + 3 * PATIENCE
    while time.monotonic() < until:
        if _owner() is None:
            return "stopped; `make evidence` goes on where it was"
        time.sleep(0.2)
    raise UserError(f"process {owner.pid} does not end; look at {HOME}/logs")


def at_work() -> str | None:
    """The name of the unit that a runner is at."""
    return sealed_text.read_json(OWNER)["unit"] if _owner() else None


def _next(listed: list[Unit], failed: Collection[str]) -> Unit | None:
    """The first of the list that is not finished, or is to be measured again."""
    for unit in listed:
        if unit.name not in failed and (not unit.is_finished or begun.file(unit).exists()):
            return unit
    return None


def _listed(last: list[Unit], tell: Callable[[str], None]) -> list[Unit]:
    """The list as it is now, by a program of its own; the last one while a study is half edited."""
    try:
        told = json.loads(children.asked(Path(), "-m", "pipeline.evidence.plan"))
    except FailedError as error:
        if not last:
            raise
        tell(f"the list stays as it was: {error}")
        return last
    return [Unit._make((*one[:-1], tuple(one[-1]))) for one in told]


def _stop(number: int, frame: object) -> None:
    for one in SIGNALS:  # once is enough
        signal.signal(one, signal.SIG_IGN)
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
    """Programs of a runner that was killed see it within a second; wait until they have ended."""
    if not OWNER.exists():
        return
    dead = str(sealed_text.read_json(OWNER)["process"])
    until = time.monotonic() + 3 * PATIENCE
    while any(_is_of(process, dead) for process in psutil.process_iter()):
        if time.monotonic() > until:
            raise UserError(
                f"programs of the runner {dead}, which was killed, do not end; stop them"
            )
        time.sleep(0.2)


def _is_of(process: psutil.Process, runner: str) -> bool:
    with suppress(psutil.Error):
        return process.environ().get(driver.DRIVER) == runner
    return False


def _where() -> str:
    name = at_work()
    return f", at {name}" if name else ""
