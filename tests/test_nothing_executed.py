"""Names and paths of a study reach a shell quoted, or no engine starts: nothing of them is run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.study.check import load
from pipeline.study.strict_yaml import StudyError

GOOD = Path("params.yaml").read_text(encoding="utf-8")
PLANT = "touch PWNED"
KEYS = (f"x;{PLANT};", f"$({PLANT})", f"`{PLANT}`", f"'\n{PLANT}\n'", f'" && {PLANT} #')
# Of a file: every sign that a shell, or Snakemake's format reads as more than a letter.
PATH = f"a b; {PLANT}; $({PLANT}) `{PLANT}` '\" {{STUDY}} {{0}} & $HOME"
PIPELINE = (sys.executable, "-m", "pipeline")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The project without its history and results, in a folder of its own."""
    for name in ("Snakefile", "dvc.yaml"):
        shutil.copy(name, tmp_path)
    for name in ("pipeline", "src", "studies", "profiles"):
        (tmp_path / name).symlink_to(Path(name).absolute())
    monkeypatch.setenv("ROBUSTINFO_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*command):
    """(exit status, all that was said); nothing was planted."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"PATH": path}, timeout=300
    )
    assert not [*Path().rglob("PWNED")], command
    assert "Traceback" not in done.stderr, done.stderr[-2000:]
    return done.returncode, done.stdout + done.stderr


def hostile(key, place="  digits: {method"):
    """params.yaml with a key, or its name, that a shell would run."""
    text = yaml_text(key)
    new = f"name: {text}" if place.startswith("name") else f"  {text}: {{method"
    assert place in GOOD
    Path("params.yaml").write_text(GOOD.replace(place, new, 1), encoding="utf-8")


def yaml_text(text):
    return '"' + text.replace('"', '\\"').replace("\n", "\\n") + '"'


@pytest.mark.parametrize("key", KEYS)
def test_a_key_or_a_name_that_a_shell_would_run_is_refused(project, key):
    for place in ("  digits: {method", "name: quickstart"):
        hostile(key, place)
        with pytest.raises(StudyError, match="should match pattern") as found:
            load(Path("params.yaml"))
        assert str(found.value).isprintable()


@pytest.mark.slow
def test_no_engine_runs_a_key_of_the_study(project):
    run("git", "init", "--quiet")
    run("dvc", "init", "--quiet")
    hostile(KEYS[0])
    for command in (
        ("snakemake", "--cores", "1"),
        ("dvc", "repro"),
        (*PIPELINE, "dvc", "generate"),
        (*PIPELINE, "mlflow"),
        (*PIPELINE, "stage", "prepare", "--study", "params.yaml", "--dataset", KEYS[0]),
    ):
        status, said = run(*command)
        assert status and "should match pattern" in said, said


@pytest.mark.slow
def test_no_engine_runs_the_path_of_a_study(project):
    file = Path(PATH)
    file.mkdir()
    file /= "s.yaml"
    file.write_text(GOOD.replace("name: quickstart", "name: hostile", 1), encoding="utf-8")
    status, said = run(*PIPELINE, "check", str(file))
    assert status == 0, said
    done = "results/hostile/digits/data.json"
    status, said = run("snakemake", "--cores", "1", "--config", f"study={file}", "--", done)
    assert status == 0 and Path(done).exists(), said[-2000:]
