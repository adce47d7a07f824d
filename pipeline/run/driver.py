"""The driver, Snakemake, and its jobs: which Python they run, and when they end."""

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from pipeline.run.job_client import CODE, SERVER

DRIVER = "ROBUSTINFO_DRIVER"  # the process id of the Snakemake that started a job


def set_job_environment() -> None:
    """Set PATH and the driver's process id for jobs, which then end when this process ends.

    `python` is then the one that has the packages, even if its environment is not activated.
    """
    folders = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    os.environ["PATH"] = os.pathsep.join(folders)
    os.environ[DRIVER] = str(os.getpid())


def start_job_server() -> subprocess.Popen:
    """Start the job server of this machine; it ends when this process does."""
    folder = Path(tempfile.mkdtemp(prefix="robustinfo-"))  # nobody else's to open
    (folder / CODE).symlink_to(Path.cwd())
    path = folder / "jobs"
    command = [sys.executable, "-m", "pipeline.run.job_server", str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    while not path.exists() and process.poll() is None:
        time.sleep(0.01)
    os.environ[SERVER] = str(path)
    return process


def exit_with_driver() -> None:
    """Exit when the driver does: a job of a killed Snakemake would write beside its successor."""
    if DRIVER in os.environ:
        threading.Thread(target=_watch, args=[int(os.environ[DRIVER])], daemon=True).start()


def _watch(driver: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(driver)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(1)
    os._exit(70)
