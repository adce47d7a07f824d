"""A job served by a fork ends as the same job alone does: files, exit code, words, signal."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from filelock import FileLock

from pipeline.run.driver import start_job_server
from pipeline.run.job_client import SERVER

# A training that does not end by itself.
STUDY = """\
extends: params.yaml
name: serving
pretrain: {standard: {epochs: 100000, snapshot_every: 100000}}
"""
TOY = "toy --study serving.yaml --toy noisy_xor".split()
PREPARE = "prepare --study serving.yaml --dataset digits".split()
NAMES = "--study serving.yaml --dataset digits --model lenet5 --defence standard --seed 0".split()
TRAINING = ["pretrain", *NAMES]
STATE = "results/serving/digits/lenet5/standard/0/.training/state.safetensors"
LOCK = ".snakemake/jobs/pretrain/serving/digits/lenet5/standard/0/.lock"
PATIENCE = 60  # seconds, on a busy machine


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with the project's code and a study, and a server that serves its jobs."""
    folder = tmp_path_factory.mktemp("serving")
    for name in ("src", "studies", "params.yaml"):
        (folder / name).symlink_to(Path(name).absolute())
    shutil.copytree("pipeline", folder / "pipeline")
    with (folder / "pipeline/stages/overview.py").open("a") as program:
        program.write("\n\ndef run(job):\n    1 / 0\n")
    (folder / "serving.yaml").write_text(STUDY)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PYTHONPATH", str(folder / "src"))
        patch.setenv("ROBUSTINFO_DATA", str(folder / "data"))
        patch.setenv(SERVER, "")
        server = start_job_server()
        found = SimpleNamespace(folder=folder, server=server, path=os.environ[SERVER])
    job(found, "alone", *PREPARE).communicate()
    yield found
    server.stdin.close()
    server.wait(PATIENCE)


@pytest.fixture(params=["served", "alone"])
def way(request):
    return request.param


def job(project, way: str, *words: str, before: tuple[str, ...] = ()) -> subprocess.Popen:
    environment = os.environ | {
        SERVER: project.path if way == "served" else "",
        "PYTHONPATH": str(project.folder / "src"),
        "ROBUSTINFO_DATA": str(project.folder / "data"),
    }
    command = [*before, sys.executable, "-m", "pipeline", "stage", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=project.folder, env=environment, **pipes)


def training(project, way: str, before: tuple[str, ...] = ()) -> subprocess.Popen:
    """A training that has begun."""
    state = project.folder / STATE
    state.unlink(missing_ok=True)
    process, began = job(project, way, *TRAINING, before=before), time.monotonic()
    while not state.exists():
        assert process.poll() is None and time.monotonic() - began < PATIENCE
        time.sleep(0.02)
    return process


def is_over(project) -> bool:
    """Whether no process is at the training."""
    FileLock(project.folder / LOCK).acquire(timeout=PATIENCE).lock.release()
    return True


def forks(project) -> list[psutil.Process]:
    return psutil.Process(project.server.pid).children(recursive=True)


def test_a_job_writes_its_files_and_ends_with_0(project, way):
    file = project.folder / "results/serving/collected/noisy_xor.csv"
    file.unlink(missing_ok=True)
    process = job(project, way, *TOY)
    _, wrong = process.communicate()
    assert (process.returncode, wrong) == (0, "")
    assert "noisy_xor" in file.read_text()


def test_a_served_job_is_a_fork_of_the_server(project):
    process = training(project, "served")
    (books, child) = forks(project)
    assert child.ppid() == books.pid and books.ppid() == project.server.pid
    process.kill()
    process.wait()
    assert is_over(project)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([*TOY[:-1], "none"], 1, "error: stage toy has no toy 'none' here; choose from boolean_"),
        (["toys", *TOY[1:3]], 1, "error: no stage 'toys'; choose from adopt, "),
        ([*TOY, "--image", "1"], 1, "error: stage toy takes no --image"),
        (TOY[:3], 1, "error: stage toy needs --toy"),
        ([*TOY, "1"], 1, "error: stage toy takes names as `--seed 0`; it was given"),
        (["toy", "--toy", "noisy_xor"], 2, "usage: python -m pipeline stage toy"),
        (["toy", "--study", "none.yaml"], 1, "error: none.yaml: no such study file"),
    ],
)
def test_a_mistake_ends_with_its_code_and_words(project, way, words, code, said):
    process = job(project, way, *words)
    out, wrong = process.communicate()
    assert (process.returncode, out) == (code, "")
    assert wrong.startswith(said) and "Traceback" not in wrong


def test_what_nobody_caught_ends_with_1_and_a_traceback(project, way):
    process = job(project, way, "overview", "--study", "serving.yaml")
    wrong = process.communicate()[1]
    assert process.returncode == 1
    assert wrong.startswith("Traceback") and "ZeroDivisionError" in wrong


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_the_job_and_its_client(project, way, number):
    process = training(project, way)
    process.send_signal(number)
    assert process.wait(PATIENCE) == -number
    assert is_over(project)


def test_control_c_ends_the_job(project, way):
    process = training(project, way)
    process.send_signal(signal.SIGINT)
    wrong = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode in (-signal.SIGINT, 1)
    assert "KeyboardInterrupt" in wrong
    assert is_over(project)


def test_a_time_out_ends_the_job(project, way):
    process = job(project, way, *TRAINING, before=("timeout", "6"))  # it would not end by itself
    assert process.wait(PATIENCE) == 124
    assert is_over(project)


def test_a_job_that_is_killed_takes_its_client_along(project):
    process = training(project, "served")
    (_, child) = forks(project)
    child.kill()
    assert process.wait(PATIENCE) == -signal.SIGKILL


def test_a_server_of_another_project_is_not_asked(project, tmp_path):
    path = tmp_path / "jobs"
    (tmp_path / "code").symlink_to(tmp_path)
    other = SimpleNamespace(folder=project.folder, path=str(path))
    process = job(other, "served", *TOY)
    process.communicate()
    assert process.returncode == 0


def test_the_server_has_one_thread_of_its_own_and_leaves_when_its_driver_does(project, monkeypatch):
    monkeypatch.setenv(SERVER, "")
    monkeypatch.chdir(project.folder)
    monkeypatch.setenv("PYTHONPATH", str(project.folder / "src"))
    server = start_job_server()
    path = Path(os.environ[SERVER])
    asked = SimpleNamespace(folder=project.folder, path=str(path))
    assert job(asked, "served", *TOY).wait(PATIENCE) == 0  # the imports are done
    threads = [file.read_text().strip() for file in Path(f"/proc/{server.pid}/task").glob("*/comm")]
    # Arrow's memory, which pandas loads, is made to be forked; nobody else's threads are.
    assert len([name for name in threads if name != "jemalloc_bg_thd"]) == 1
    server.stdin.close()
    assert server.wait(PATIENCE) == 0
    assert not path.parent.exists()
    assert job(asked, "served", *TOY).wait(PATIENCE) == 0  # by itself
