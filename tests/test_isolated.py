"""A process for a stranger's code: it answers, or says that it does not, and nothing is left."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from robustinfo.cli import isolated
from robustinfo.core.errors import UserError

CODE = """
import atexit, ctypes, os, signal, subprocess, sys, threading, time

def doubled(value):
    return {"value": 2 * value}

def much(value):
    return {"value": "x" * value}

def loud(value):
    print("printed \\u2264")
    os.write(1, b"written ")
    ctypes.CDLL(None).puts(b"from C")
    subprocess.run(["echo", "echoed"])
    atexit.register(print, "at the end")
    return doubled(value)

def leaves(value):
    sys.exit(value)

def leaves_at_once(value):
    os._exit(value)

def is_killed(value):
    os.kill(os.getpid(), value)
    time.sleep(60)

def fails(value):
    raise ZeroDivisionError("a bug of ours")

def ends_late(value):
    atexit.register(os._exit, 3)
    return doubled(value)

def leaves_a_thread(value):
    threading.Thread(target=time.sleep, args=(600,)).start()
    return doubled(value)

def forks(value):
    if os.fork() == 0:
        return doubled(-value)
    time.sleep(0.5)
    return doubled(value)

def leaves_a_child(value):
    child = subprocess.Popen(["sleep", "60"])
    return {"value": child.pid}

def waits(value):
    child = subprocess.Popen(["sleep", "60"])
    with open("pids", "w") as file:
        file.write(f"{os.getpid()} {child.pid}\\n")
    time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "theirs.py").write_text(CODE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked(name, value=3):
    return isolated.call(f"theirs:{name}", {"value": value})


def test_what_it_returns_comes_back(folder):
    assert asked("doubled") == {"value": 6}
    assert asked("much", 400_000) == {"value": "x" * 400_000}  # more than a pipe holds


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
def test_whatever_it_writes_goes_to_standard_error(folder, encoding, monkeypatch, capfd):
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    assert asked("loud") == {"value": 6}
    out, err = capfd.readouterr()
    assert out == ""
    for text in ("printed", "written", "from C", "echoed", "at the end"):
        assert text in err


@pytest.mark.parametrize(
    "name, value, said",
    [
        ("leaves", 0, "exit status 0"),
        ("leaves_at_once", 0, "exit status 0; look for os._exit"),
        ("leaves_at_once", 14, "exit status 14"),
        ("is_killed", int(signal.SIGKILL), "SIGKILL; look for a lack of memory"),
        ("is_killed", int(signal.SIGSEGV), "SIGSEGV"),
        ("fails", 0, "the traceback above says where"),
    ],
)
def test_an_end_without_an_answer_is_an_error_whatever_its_status(folder, name, value, said):
    with pytest.raises(UserError, match=f"ended without a verdict: .*{said}"):
        asked(name, value)


def test_an_answer_counts_even_if_the_process_ends_badly_afterwards(folder):
    assert asked("ends_late") == {"value": 6}


def test_a_thread_that_does_not_end_keeps_nobody_waiting(folder):
    start = time.monotonic()
    assert asked("leaves_a_thread") == {"value": 6}
    assert time.monotonic() - start < 60


def test_a_copy_that_is_forked_does_not_answer(folder):
    assert asked("forks") == {"value": 6}


def test_what_it_has_started_ends_with_it(folder):
    assert gone([asked("leaves_a_child")["value"]])


def test_modules_of_the_folder_do_not_stand_in_for_the_librarys(folder):
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "json.py").write_text("raise ImportError")
    os.chdir(folder / "elsewhere")
    assert asked("doubled") == {"value": 6}


@pytest.mark.parametrize("signalled", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_all_ends_with_the_process_that_asked(folder, signalled):
    code = "from robustinfo.cli import isolated; isolated.call('theirs:waits', {'value': 0})"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    pids = written(folder / "pids")
    process.send_signal(signalled)
    assert process.wait(20) != 0
    assert gone(pids)


def written(file):
    """The numbers of processes in a file, once they stand there."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if file.exists() and file.read_text().endswith("\n"):
            return [*map(int, file.read_text().split())]
        time.sleep(0.05)
    raise AssertionError(f"{file} was never written")


def gone(pids):
    """Whether no process of these numbers runs, in a while."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if not any(runs(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def runs(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
