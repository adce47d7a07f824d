"""Between Snakemake and its jobs: which Python they run, on how many threads, and when they end."""

import contextlib
import os
import sys
import threading
import time
from pathlib import Path

import psutil

from robustinfo.faults import Fault

DRIVER = "ROBUSTINFO_DRIVER"  # the process id of the Snakemake that started a job


def lead() -> None:
    """Let the jobs of this process find its Python's programs, and end when it ends.

    Whether the environment is activated or not, `python` is then the one that has the packages.
    """
    folders = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    os.environ["PATH"] = os.pathsep.join(folders)
    os.environ[DRIVER] = str(os.getpid())


def follow() -> None:
    """End with the driver: a job whose Snakemake was killed would write beside its successor."""
    if DRIVER in os.environ:
        threading.Thread(target=_watch, args=[int(os.environ[DRIVER])], daemon=True).start()


def _watch(driver: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(driver)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(1)
    os._exit(70)


def threads() -> int:
    """Threads of one job on the CPU; results are the same to the bit for one number of them."""
    given = os.environ.get("ROBUSTINFO_THREADS", "1")
    if not given.isdecimal() or given == "0":
        raise Fault(f"ROBUSTINFO_THREADS is {given!r}; it must be a whole number from 1")
    return int(given)
