"""The programs that do a unit's work: in a checkout, at the runner's priority, on one core."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from robustinfo.core.errors import UserError
from robustinfo.core.files import disk_errors
from robustinfo.datasets._prepared import data_root

PATIENCE = 10  # seconds that a stopped program has to end by itself
ONE_CORE = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ROBUSTINFO_THREADS")


class FailedError(UserError):
    """A program ended with an error of its own; one that was killed did not."""


def asked(checkout: Path, *words: str) -> str:
    """What a program of the checkout prints. Raises FailedError with its own words if it fails,
    UserError if it was killed.
    """
    command = [sys.executable, *words]
    done = subprocess.run(
        command, cwd=checkout, env=_environment(checkout), capture_output=True, text=True
    )
    if status := done.returncode:
        kind, how = _end(status)
        raise kind(_last(done.stderr) or f"{' '.join(words)} {how}")
    return done.stdout


def work(checkout: Path, words: Sequence[str], log: Path, cwd: Path | None = None) -> None:
    """Run a program to its end. Raises FailedError if it fails, UserError if it was killed."""
    with started(checkout, words, log, cwd) as child:
        ended(child, log)


@contextmanager
def started(
    checkout: Path, words: Sequence[str], log: Path, cwd: Path | None = None
) -> Iterator[subprocess.Popen]:
    """A program that runs until it or the block ends. cwd: its folder, if not the checkout."""
    with disk_errors(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        file = log.open("w")
    with file:
        child = subprocess.Popen(
            [sys.executable, *words],
            cwd=cwd or checkout,
            env=_environment(checkout),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # an interrupt at the terminal is for the runner alone
        )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def ended(child: subprocess.Popen, log: Path) -> None:
    """Wait for it. Raises FailedError if it failed, UserError if it was killed."""
    if status := child.wait():
        args: Any = child.args
        kind, how = _end(status)
        said = _last(log.read_text(errors="replace"))
        raise kind(f"{' '.join(args[2:])} {how}: {said}; {log} says more")


def _end(status: int) -> tuple[type[UserError], str]:
    """What the exit status of a program that did not end well is as an error, and in words."""
    return (FailedError, "failed") if status > 0 else (UserError, f"was killed by signal {-status}")


def _environment(checkout: Path) -> dict[str, str]:
    found = os.environ | dict.fromkeys(ONE_CORE, "1")
    folders = [str(checkout.absolute() / "src"), str(checkout.absolute())]
    found["PYTHONPATH"] = os.pathsep.join(folders)
    found["ROBUSTINFO_DATA"] = str(data_root().absolute())
    return found


def _last(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "")
