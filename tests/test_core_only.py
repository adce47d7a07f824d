"""The library and ``robustinfo judge`` need nothing that only the workflow uses."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from robustinfo.evaluation.checks import EXITS
from tests.evaluation.report import documents

PROJECT = tomllib.loads(Path("pyproject.toml").read_text())["project"]
SRC = Path("src").resolve()
EXTRAS = PROJECT["optional-dependencies"]


def named(requirement):
    return re.match(r"[\w.-]+", requirement)[0]


def imported(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []


WORKFLOW = [
    named(line) for extra in ("pipeline", "report") for line in EXTRAS[extra]
    if named(line) != "robustinfo"
]  # fmt: skip
# They are found nowhere, by the library or by what it uses, as where they are not installed.
BLOCKED = f"""
import sys
from importlib.machinery import PathFinder

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.split(".")[0] in {set(WORKFLOW)!r}:
            return None
        return super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Without
"""
EVERY_MODULE = """
import importlib, pkgutil, robustinfo

names = [one.name for one in pkgutil.walk_packages(robustinfo.__path__, "robustinfo.")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""
WRITE = """
import json, pathlib
from robustinfo.evaluation import report

document = json.loads(pathlib.Path("evaluation.json").read_text())
for file in report.write(pathlib.Path("out"), document, None):
    print(file.name)
"""
NETWORK = """
import torch

def linear():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
"""


@pytest.fixture
def python(tmp_path, monkeypatch):
    """A Python that has the library and not the workflow, and so has every process it starts."""
    (tmp_path / "sitecustomize.py").write_text(BLOCKED)
    (tmp_path / "small.py").write_text(NETWORK)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{SRC}")

    def run(*line):
        return subprocess.run(
            [sys.executable, *line], cwd=tmp_path, capture_output=True, text=True, timeout=300
        )

    return run


def test_the_workflow_s_packages_are_missing_here(python):
    assert len(WORKFLOW) >= 7
    for name in WORKFLOW:
        ended = python("-c", f"import {name}")
        assert f"No module named '{name}" in ended.stderr


def test_every_module_of_the_library_imports_without_the_workflow(python):
    ended = python("-c", EVERY_MODULE)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 200


def test_judge_runs_without_the_workflow(python):
    options = ["--data", "{method: digits, size: 8}", "--epsilon", "0.1", "--budget", "1s"]
    start = "from robustinfo.cli import app; app()"
    ended = python("-c", start, "judge", "small:linear", *options, "--json")
    assert ended.returncode == EXITS[json.loads(ended.stdout)["verdict"]], ended.stderr


def test_without_the_extra_an_evaluation_is_written_as_latex_and_says_how_to_have_the_rest(
    python, tmp_path
):
    (tmp_path / "evaluation.json").write_text(json.dumps(documents.document()))
    ended = python("-c", WRITE)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == ["row.tex", "table.tex"]
    assert ended.stderr.strip().endswith("pip install 'robustinfo[report]'")
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["row.tex", "table.tex"]


def test_every_package_that_the_library_imports_is_declared():
    declared = {
        named(line)
        for lines in (
            PROJECT["dependencies"],
            *(EXTRAS[name] for name in ("onnx", "timm", "robustbench", "report")),
        )
        for line in lines
    }
    imports = {
        name.split(".")[0]
        for file in (SRC / "robustinfo").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        for name in imported(node)
    }
    there = packages_distributions()
    ours = {"robustinfo", *sys.stdlib_module_names}
    missing = {
        name
        for name in imports - ours
        if not {one.lower() for one in there.get(name, [name])} & declared
    }
    assert missing == set()
    assert {"torch", "sklearn", "typer"} <= imports
