"""When the jobs of a run ran, and of which code it is."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from pipeline.results import rows
from pipeline.run import start, times
from pipeline.run.digest import sha256
from pipeline.run.plan import Plan
from pipeline.study.checked import load
from pipeline.tracking import mlflow_source
from pipeline.tracking.mlflow_show import show
from tests.mlflow_study import shown, store, study

__all__ = ["study"]  # fixture
RUN = "digits/lenet5/adversarial/0"


def test_a_job_records_its_times_and_the_files_it_wrote(study, monkeypatch):
    def write(job):
        for path in job.writes.values():
            rows.write(path, [])

    monkeypatch.setattr(start, "perform", write)
    names = {"dataset": "digits", "model": "lenet5", "defence": "standard", "seed": "0"}
    options = [word for name, value in names.items() for word in (f"--{name}", value)]
    before = time.time()
    start.start(["complexity", "--study", str(study), *options])
    plan = Plan(load(study))
    job = plan.job("complexity", names)
    digests = {str(path): sha256(path) for path in plan.writes(job).values()}
    folder = times.folder("complexity", "tiny", job.names)
    found = times.read(folder, digests)
    assert before <= found.start <= found.end <= time.time()
    assert times.read(folder, dict.fromkeys(digests, "another")) is None
    assert times.read(folder, {"another": "file"}) is None


def timed(defence, start, end, change=lambda files: files):
    """Records of all jobs of seed 0, one after the other from start to end."""
    plan = Plan(load(Path("params.yaml")))
    jobs = [
        j
        for j in plan.jobs.values()
        if {"defence": defence, "seed": "0"}.items() <= j.names.items()
    ]
    for number, job in enumerate(jobs):
        files = {str(p): sha256(p) for p in plan.writes(job).values() if p.is_file()}
        folder = times.folder(job.contract.stage, "tiny", job.names)
        folder.mkdir(parents=True)
        step = (end - start) / len(jobs)
        record = {"start": start + step * number, "end": start + step * (number + 1)}
        (folder / times.FILE).write_text(json.dumps(record | {"files": change(files)}))


def test_a_run_starts_and_ends_with_its_jobs(study):
    timed("adversarial", 1000.0, 1064.0)
    show(study, store())
    run = shown()[RUN]
    seconds = float(run.data.tags["compute_seconds"])
    assert run.info.start_time >= 1000_000 and run.info.end_time <= 1064_000
    assert 0 < seconds <= (run.info.end_time - run.info.start_time) / 1000 + 0.1
    assert shown()["digits/lenet5/standard/0"].data.tags["compute_seconds"] == "unknown"


def test_times_of_other_bytes_are_not_those_of_a_run(study):
    timed("adversarial", 1000.0, 1064.0, lambda files: dict.fromkeys(files, "0"))
    show(study, store())
    run = shown()[RUN]
    assert run.data.tags["compute_seconds"] == "unknown" and run.info.start_time > 1_600_000_000_000


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"start": 2, "end": 1, "files": {"a": "0"}}'])
def test_a_damaged_record_of_times_is_none(tmp_path, content):
    (tmp_path / times.FILE).write_text(content)
    assert times.read(tmp_path, {"a": "0"}) is None


def test_only_code_and_the_study_make_a_commit_dirty(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    for name in ("src/a.py", "pipeline/b.py", "params.yaml", "dvc.lock", "Snakefile"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("1")
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all"]):
        subprocess.run([*git, *command], check=True)

    def dirty():
        return mlflow_source.tags(Path("params.yaml"), "s")["dirty"]

    Path("dvc.lock").write_text("2")
    Path("notes.txt").write_text("2")
    assert dirty() == "no"
    for name in ("src/a.py", "params.yaml", "pipeline/new.py"):
        Path(name).write_text("2")
        assert dirty() == "yes"
        subprocess.run([*git, "stash", "-q", "-u"], check=True)
        assert dirty() == "no"
