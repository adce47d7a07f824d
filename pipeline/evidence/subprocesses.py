"""Programs of a unit, run in a checkout, at the runner's priority, on one core."""

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
    """A program ended with an error; a program that was killed raises UserError."""


def output_of(checkout: Path, *arguments: str) -> str:
    """Standard output of a program of the checkout. Raises FailedError with its last line on stderr
    if it fails, UserError if it was killed.
    """
    command = [sys.executable, *arguments]
    process = subprocess.run(
        command, cwd=checkout, env=_environment(checkout), capture_output=True, text=True
    )
    if status := process.returncode:
        kind, outcome = _failure_kind(status)
        raise kind(_last_line(process.stderr) or f"{' '.join(arguments)} {outcome}")
    return process.stdout


def run(checkout: Path, arguments: Sequence[str], log: Path, cwd: Path | None = None) -> None:
    """Run a program to its end. Raises FailedError if it fails, UserError if it was killed."""
    with start(checkout, arguments, log, cwd) as child:
        wait(child, log)


@contextmanager
def start(
    checkout: Path, arguments: Sequence[str], log: Path, cwd: Path | None = None
) -> Iterator[subprocess.Popen]:
    """Start a program, which runs until it or the block ends. cwd: None is the checkout."""
    with disk_errors(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        file = log.open("w")
    with file:
        child = subprocess.Popen(
            [sys.executable, *arguments],
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


def wait(child: subprocess.Popen, log: Path) -> None:
    """Wait for a program. Raises FailedError if it failed, UserError if it was killed."""
    if status := child.wait():
        args: Any = child.args
        kind, outcome = _failure_kind(status)
        last_line = _last_line(log.read_text(errors="replace"))
        raise kind(f"{' '.join(args[2:])} {outcome}: {last_line}; {log} says more")


def _failure_kind(status: int) -> tuple[type[UserError], str]:
    """(error class, verb) for the non-zero exit status of a program."""
    return (FailedError, "failed") if status > 0 else (UserError, f"was killed by signal {-status}")


def _environment(checkout: Path) -> dict[str, str]:
    environment = os.environ | dict.fromkeys(ONE_CORE, "1")
    folders = [str(checkout.absolute() / "src"), str(checkout.absolute())]
    environment["PYTHONPATH"] = os.pathsep.join(folders)
    environment["ROBUSTINFO_DATA"] = str(data_root().absolute())
    return environment


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "")
