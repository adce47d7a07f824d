"""Imports go down, never up: a floor may use the floors listed before it, and its own."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path("src/robustinfo")
FLOORS = [
    {"__init__", "faults", "measurement", "settings", "files", "sealed", "catalogue", "entries"},
    {"maths"},
    {"datasets", "distortions", "models", "batches", "augmentation"},
    {"attacks", "measures", "complexities"},
    {"losses", "defences", "diagnostics", "toys", "sources"},
    {"training", "stepping", "judge"},
    {"learning", "defended"},
    {"pictures", "options"},
    {"separate", "separated", "plain"},
    {"judged"},
    {"cli"},
]
WORKFLOW = {"snakemake", "dvc", "mlflow", "pipeline"}
FILES = sorted(SRC.rglob("*.py"))


def level(part: str) -> int:
    """The floor of a package or module."""
    found = [number for number, floor in enumerate(FLOORS) if part in floor]
    assert found, f"{part} has no floor in {__file__}"
    return found[0]


def imported(file: Path, source: str) -> Iterator[str]:
    """The whole name of every module that a file imports."""
    package = ["robustinfo", *file.relative_to(SRC).parent.parts]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            name = ".".join([*above, *filter(None, [node.module])])
            if name == "robustinfo":
                yield from (f"robustinfo.{alias.name}" for alias in node.names)
            else:
                yield name


def breaches(file: Path, source: str) -> list[str]:
    """What a file with this content imports and must not."""
    own = level(file.relative_to(SRC).parts[0].removesuffix(".py"))
    names = list(imported(file, source))
    up = [
        name for name in names if name.startswith("robustinfo.") and level(name.split(".")[1]) > own
    ]
    return up + [name for name in names if name.split(".")[0] in WORKFLOW]


@pytest.mark.parametrize("file", FILES, ids=str)
def test_imports_go_down(file):
    assert breaches(file, file.read_text()) == []


@pytest.mark.parametrize(
    ("name", "line", "found"),
    [
        ("faults.py", "import snakemake", "snakemake"),
        ("cli.py", "def later():\n    from pipeline.run.job import Job", "pipeline.run.job"),
        ("measurement.py", "from robustinfo import judge", "robustinfo.judge"),
        ("maths/kde.py", "import robustinfo.attacks.pgd as pgd", "robustinfo.attacks.pgd"),
        ("maths/kde.py", "from ..attacks import pgd", "robustinfo.attacks"),
        ("maths/kde.py", "from .. import attacks", "robustinfo.attacks"),
        ("maths/statistics/ranks.py", "from ...judge import checks", "robustinfo.judge"),
        ("diagnostics/margins.py", "from robustinfo.judge import checks", "robustinfo.judge"),
        ("judge/checks.py", "from robustinfo.cli import app", "robustinfo.cli"),
    ],
)
def test_an_import_that_goes_up_is_seen_in_every_file(name, line, found):
    file = SRC / name
    assert file in FILES
    assert breaches(file, line) == [found]


def test_an_import_of_the_same_floor_goes_up_nowhere():
    assert not breaches(
        SRC / "maths/kde.py", "from . import entropy\nimport robustinfo.core.errors\n"
    )


def test_a_file_without_a_floor_is_an_error():
    with pytest.raises(AssertionError, match="printing has no floor"):
        breaches(SRC / "printing.py", "")
