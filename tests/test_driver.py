"""A job ends with the Snakemake that started it, however that one ends."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from pipeline.run import driver

JOB = "import time; from pipeline.run import driver; driver.exit_with_driver(); time.sleep(60)"
DRIVER = f"""
import subprocess, sys, time
from pipeline.run import driver
driver.set_job_environment()
job = subprocess.Popen([sys.executable, "-c", {JOB!r}])
print(job.pid, flush=True)
time.sleep(60)
"""


def alive(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_job_does_not_outlive_its_driver(end):
    leader = subprocess.Popen([sys.executable, "-c", DRIVER], stdout=subprocess.PIPE, text=True)
    job = int(leader.stdout.readline())
    time.sleep(1)
    assert alive(job)
    os.kill(leader.pid, end)  # not reaped yet: a zombie is no driver either
    deadline = time.monotonic() + 20
    while alive(job) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not alive(job)
    leader.wait()


def test_the_python_of_the_driver_comes_first_for_its_jobs(monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.setenv(driver.DRIVER, "0")
    driver.set_job_environment()
    assert os.environ[driver.DRIVER] == str(os.getpid())
    assert os.environ["PATH"].split(os.pathsep)[0] == os.path.dirname(sys.executable)
