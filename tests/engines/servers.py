"""Servers that the tests start on loopback themselves, and stop."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

# `make integration` sets it: a program that is missing is then a failure, not a skip.
REQUIRED = "ROBUSTINFO_ENGINES"
POSTGRESQL = sorted(Path("/usr/lib/postgresql").glob("*/bin"))  # where Debian has it


def needed(*programs: str, modules: Sequence[str] = ()) -> dict[str, str]:
    """Where each program is. A missing one skips the test, or fails it if engines are required."""
    folders = [os.environ.get("PATH", ""), "/usr/sbin", *map(str, POSTGRESQL)]
    paths = {name: shutil.which(name, path=os.pathsep.join(folders)) for name in programs}
    missing = [name for name, path in paths.items() if path is None]
    missing += [name for name in modules if find_spec(name) is None]
    if missing:
        reason = f"{', '.join(missing)} not installed; docs/scale-out.md says what to install"
        (pytest.fail if os.environ.get(REQUIRED) else pytest.skip)(reason)
    return {name: str(path) for name, path in paths.items()}


def free_port() -> int:
    """A TCP port of loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for_port(port: int, process: subprocess.Popen, seconds: float = 60) -> None:
    """Return when the process listens on the port. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as one:
            if not one.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.1)
    raise TimeoutError(f"{process.args} does not listen on {port}")


def stopped(*processes: subprocess.Popen) -> None:
    """End the processes, and wait for them."""
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
