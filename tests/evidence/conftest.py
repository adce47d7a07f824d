"""Trainings that are killed, stopped, moved and measured again for real: about two minutes."""

import shutil
import signal
import sys

import pytest

from tests.evidence.tiny import (
    ENTROPIC,
    PLAN,
    RECORDS,
    RESULTS,
    ROOT,
    STANDARD,
    STUDY,
    begun,
    commit,
    evidence,
    run,
)


@pytest.fixture(scope="session")
def first(tmp_path_factory):
    """A repository, the commit at which the first unit begins, and what was said on the way.

    Its runner meets a second one, is killed in the middle of a training, goes on, is stopped, sees
    the code change, and goes on to the end.
    """
    folder = tmp_path_factory.mktemp("evidence") / "repository"
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("src", "pipeline"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name, text in (("studies/tiny.yaml", STUDY), (RECORDS / "plan.yaml", PLAN)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / ".gitignore").write_text("/.evidence/\n__pycache__/\n")
    run(folder, "git", "init", "--quiet")
    found = {"folder": folder, "commit": commit(folder, "first")}

    killed, training = begun(folder)
    found["second"] = evidence(folder, "run", check=False)
    found["status"] = evidence(folder, "status")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    training.resume()  # it sees that its runner has died
    runner, training = begun(folder)
    found["stop"] = evidence(folder, "stop")
    found["stopped"] = (runner.wait(), runner.stdout.read())
    assert not training.is_running()
    assert not (folder / RESULTS / STANDARD / "model.safetensors").exists(), "it was not stopped"

    code = "from pipeline.evidence import checkouts, plan, unfinished; from pathlib import Path;"
    code += f"unit = plan.find_unit({STANDARD!r}); checkout = checkouts.at({found['commit']!r});"
    code += "print(unfinished.export(unit, checkout, Path('.evidence/log')))"
    found["kept"] = run(folder, sys.executable, "-c", code)
    with (folder / "src/robustinfo/training/loop.py").open("a") as file:
        file.write("\nMEANT = 'something else'\n")
    found["later"] = commit(folder, "the code changes and an unfinished training is kept")
    found["said"] = evidence(folder, "run")
    return found


@pytest.fixture(scope="session")
def clone(first):
    """A clone without what is local: an unfinished training goes on, another is adopted."""
    folder = first["folder"].parent / "clone"
    run(first["folder"], "git", "clone", "--quiet", str(first["folder"]), str(folder))
    trained = first["folder"] / RESULTS / ENTROPIC
    adopt = ["adopt", ENTROPIC, str(trained), "--trained-by", first["commit"][:12]]
    return {"folder": folder, "adopted": evidence(folder, *adopt), "said": evidence(folder, "run")}
