"""Who holds the lock of this folder, and whether that process still lives.

Snakemake locks the files of a run in ``.snakemake/locks/``, names no owner, and after a kill or a
power cut refuses every run until it is told ``--unlock``. So every driver leaves a file in
``.snakemake/drivers/`` and holds the operating system's lock on it, which ends with the process,
however it ends and whatever the clocks say. Locks are opened where no driver lives that could hold
them, and who held them is said. A driver of another machine is taken to live: a lock of a shared
disk may not be seen from here.
"""

import atexit
import fcntl
import json
import logging
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO, NamedTuple

from filelock import FileLock

from robustinfo.core.files import atomic_write, disk_errors

SNAKEMAKE = Path(".snakemake")
FOLDER, LOCKS = SNAKEMAKE / "drivers", SNAKEMAKE / "locks"

_held: list[IO] = []  # the file of this process, locked until it ends


class Driver(NamedTuple):
    """A process that drives a study in this folder. started: local time, to the second."""

    host: str
    pid: int
    started: str
    study: str

    def __str__(self) -> str:
        """``process 12 of host a, at params.yaml since 2026-01-01 10:00:00``."""
        return f"process {self.pid} of host {self.host}, at {self.study} since {self.started}"


def register(study: str) -> str | None:
    """Note this process as a driver of a study file, and open what dead ones locked.

    Returns the line that says whose lock was opened; None if none was. Raises DiskError.
    """
    with disk_errors(FOLDER):
        FOLDER.mkdir(parents=True, exist_ok=True)
        with FileLock(FOLDER / ".lock"):
            opened = _open_locks_of_the_dead()
            started = datetime.now().isoformat(" ", "seconds")
            _note(Driver(socket.gethostname(), os.getpid(), started, study))
    return opened


def living() -> list[Driver]:
    """Drivers of this folder that live, or may, without this process."""
    return [driver for _, driver, lives in _others() if lives]


class OneLine(logging.Filter):
    """Snakemake's eight lines on a lock become one, with the driver that holds it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record if it is of a lock; all are shown."""
        if getattr(record, "exception", None) == "LockException" and (drivers := living()):
            record.args = ()
            record.msg = f"error: {at_work(drivers)}"
        return True


def at_work(drivers: list[Driver]) -> str:
    """What to tell who comes second."""
    of = f"another Snakemake is at work here: {'; '.join(map(str, drivers))}"
    here = socket.gethostname()
    if away := [driver for driver in drivers if driver.host != here]:
        of += f" (whether {away[0].host} still runs it cannot be seen from {here}: if it does not, "
        return f"{of}delete {_file(away[0])} and run `snakemake --unlock`)"
    return f"{of}; wait until it ends, or stop it and run the same command again"


def _open_locks_of_the_dead() -> str | None:
    others = list(_others())
    dead = [driver for _, driver, lives in others if not lives]
    was_locked = any(LOCKS.glob("*.lock"))
    if was_locked and dead and len(dead) == len(others):
        shutil.rmtree(LOCKS)
    for file, _, lives in others:
        if not lives:
            file.unlink()
    if was_locked and not LOCKS.exists():
        return f"opened the lock of {'; '.join(map(str, dead))}: it is no longer running"
    return None


def _note(driver: Driver) -> None:
    file = _file(driver)
    with atomic_write(file) as partial:
        partial.write_text(json.dumps(driver._asdict()) + "\n", encoding="utf-8")
    held = file.open(encoding="utf-8")
    fcntl.flock(held, fcntl.LOCK_EX)
    _held.append(held)
    atexit.register(_leave, file, os.getpid())


def _leave(file: Path, pid: int) -> None:
    if os.getpid() == pid:  # no fork of it
        with suppress(OSError):
            file.unlink()


def _file(driver: Driver) -> Path:
    return FOLDER / f"{driver.host}-{driver.pid}.json"


def _others() -> Iterator[tuple[Path, Driver, bool]]:
    """(file, driver, whether it lives) of every driver but this process."""
    own = {file.name for file in _held}
    for file in sorted(FOLDER.glob("*.json")):
        if str(file) not in own:
            with suppress(FileNotFoundError), file.open(encoding="utf-8") as opened:
                driver = Driver(**json.load(opened))
                yield file, driver, driver.host != socket.gethostname() or _is_locked(opened)


def _is_locked(opened: IO) -> bool:
    try:
        fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
