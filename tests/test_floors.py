"""Imports go down, never up: a floor may use the floors listed before it, and its own."""

import ast
from pathlib import Path

import pytest

SRC = Path("src/robustinfo")
FLOORS = [
    {"faults", "settings", "files", "sealed", "catalogue", "entries"},
    {"maths"},
    {"datasets", "distortions", "models", "batches", "augmentation"},
    {"attacks", "measures", "complexities"},
    {"losses", "defences", "diagnostics", "toys"},
    {"training", "stepping", "judging", "advice", "worst_case"},
    {"learning", "evidence", "auditing", "protocols", "defended"},
    {"evaluating", "sources", "pictures", "budgets", "options"},
    {"printing"},
    {"separate", "separated", "plain"},
    {"judged"},
    {"cli"},
]
WORKFLOW = {"snakemake", "dvc", "mlflow", "pipeline"}


def level(part):
    return next(number for number, floor in enumerate(FLOORS) if part in floor)


def imported(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "robustinfo":
            yield from (f"robustinfo.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("file", sorted(SRC.rglob("*/*.py")), ids=str)
def test_imports_go_down(file):
    own = level(file.relative_to(SRC).parts[0].removesuffix(".py"))
    for name in imported(file):
        assert name.split(".")[0] not in WORKFLOW, f"{file} imports {name}"
        if name.startswith("robustinfo."):
            assert level(name.split(".")[1]) <= own, f"{file} imports {name}, which is above it"


def test_every_file_has_its_floor():
    for file in SRC.rglob("*.py"):
        part = file.relative_to(SRC).parts[0].removesuffix(".py")
        assert part == "__init__" or any(part in floor for floor in FLOORS), file
