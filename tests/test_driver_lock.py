"""A lock whose driver is dead is opened and said; one whose driver lives, or may, is not."""

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.run import driver_lock
from tests.faults.project import SNAKEMAKE, Project

DRIVER = """
from pipeline.run import driver_lock
driver_lock.register("mine.yaml")
driver_lock.LOCKS.mkdir()
(driver_lock.LOCKS / "0.output.lock").write_text("results/a.csv")
print("locked", flush=True)
input()
"""
TOY = "results/mini/collected/equality.csv"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{Path().absolute()}{os.pathsep}{Path('src').absolute()}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(driver_lock, "_held", [])
    yield tmp_path
    for held in driver_lock._held:
        held.close()


@pytest.fixture
def other(folder):
    """A process that drives a study in this folder and has locked a file."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", DRIVER], **pipes)
    assert process.stdout.readline() == "locked\n"
    yield process
    process.kill()
    process.communicate()


def end(process):
    process.kill()
    process.wait()


def test_the_lock_of_a_killed_driver_is_opened_and_its_owner_said(folder, other):
    end(other)
    said = driver_lock.register("mini.yaml")
    owner = f"process {other.pid} of host {re.escape(socket.gethostname())}, at mine.yaml since "
    assert re.fullmatch(rf"opened the lock of {owner}[\d-]+ [\d:]+: it is no longer running", said)
    assert not driver_lock.LOCKS.exists() and driver_lock.living() == []
    assert len([*driver_lock.FOLDER.glob("*.json")]) == 1  # our own


def test_the_lock_of_a_living_driver_is_not_opened(folder, other):
    assert driver_lock.register("mini.yaml") is None
    assert [*driver_lock.LOCKS.iterdir()]
    (driver,) = driver_lock.living()
    assert (driver.pid, driver.study) == (other.pid, "mine.yaml")


def test_a_driver_that_left_a_file_and_no_lock_is_forgotten_in_silence(folder, other):
    end(other)
    (driver_lock.LOCKS / "0.output.lock").unlink()
    assert driver_lock.register("mini.yaml") is None and driver_lock.living() == []


def test_a_driver_that_ends_by_itself_leaves_no_file(folder, other):
    other.communicate("\n")
    assert not [*driver_lock.FOLDER.glob("*.json")]


def test_a_lock_of_another_host_or_of_nobody_known_is_not_opened(folder):
    driver_lock.LOCKS.mkdir(parents=True)
    (driver_lock.LOCKS / "0.output.lock").write_text("results/a.csv")
    assert driver_lock.register("mini.yaml") is None and [*driver_lock.LOCKS.iterdir()]
    driver = driver_lock.Driver("elsewhere", 1, "2026-01-01 10:00:00", "mine.yaml")
    file = driver_lock.FOLDER / "elsewhere-1.json"
    file.write_text(json.dumps(driver._asdict()))
    assert driver_lock.register("mini.yaml") is None and [*driver_lock.LOCKS.iterdir()]
    assert f"delete {file} and run `snakemake --unlock`" in driver_lock.at_work([driver])


@pytest.mark.parametrize("exception", ["LockException", "RuleException"])
def test_what_snakemake_says_of_a_lock_and_of_nothing_else_becomes_one_line(
    folder, other, exception
):
    record = logging.makeLogRecord({"msg": "eight\nlines", "exception": exception})
    assert driver_lock.OneLine().filter(record)
    line = f"error: another Snakemake is at work here: process {other.pid} of host "
    if exception == "LockException":
        assert record.msg.startswith(line) and "\n" not in record.msg
    else:
        assert record.msg == "eight\nlines"


def test_snakemake_killed_with_its_lock_runs_again_by_the_same_command(tmp_path):
    project = Project(tmp_path / "project")
    killed = project.start(*SNAKEMAKE, "--", TOY)
    while not any((project.folder / ".snakemake/locks").glob("*.lock")):
        assert killed.poll() is None
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    code, said = project.run(*SNAKEMAKE, "--", TOY)
    assert code == 0 and f"opened the lock of process {killed.pid} of host " in said
    assert (project.folder / TOY).exists()
