"""The house: rooms on floors, imports that go down, no circles, files that one can read."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

# A room may use the rooms listed before it, and those of its own floor.
FLOORS = [
    {"robustinfo.core"},
    {"robustinfo.maths"},
    {"robustinfo.datasets", "robustinfo.distortions", "robustinfo.losses", "robustinfo.models"},
    {"robustinfo.attacks", "robustinfo.complexities", "robustinfo.measures"},
    {"robustinfo.defences", "robustinfo.diagnostics", "robustinfo.toys"},
    {"robustinfo.evaluation", "robustinfo.training"},
    {"robustinfo.learning"},
    {"robustinfo", "robustinfo.cli"},
    {"pipeline"},
    {"pipeline.study"},
    {"pipeline.results"},
    {"pipeline.figures", "pipeline.report", "pipeline.run"},
    {"pipeline.stages"},
    {"pipeline.evidence", "pipeline.tracking"},
    {"pipeline.__main__"},
]
# What the library must do without.
WORKFLOW = {"snakemake", "dvc", "mlflow", "pipeline"}
LONGEST = 180  # lines
FILES = {
    file: ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
    for root in (Path("src"), Path())
    for file in sorted((root / ("robustinfo" if root.name else "pipeline")).rglob("*.py"))
}
MODULES = set(FILES.values())


def floor(module: str) -> int:
    """Of the room that a module is in, or is."""
    for room in (".".join(module.split(".")[:2]), module.split(".")[0]):
        for number, rooms in enumerate(FLOORS):
            if room in rooms:
                return number
    raise AssertionError(f"{module} has no floor in {__file__}")


def imported(file: Path, source: str) -> Iterator[str]:
    """Every module that a file imports, anywhere in it."""
    module = FILES[file]
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")
            above = above[: len(above) + 1 - node.level] if node.level else []
            name = ".".join([*above, *filter(None, [node.module])])
            for alias in node.names:
                whole = f"{name}.{alias.name}"
                yield whole if whole in MODULES else name


def breaches(file: Path, source: str) -> list[str]:
    """What a file with this content imports and must not."""
    names, own = [*imported(file, source)], FILES[file]
    ours = [name for name in names if name.split(".")[0] in ("robustinfo", "pipeline")]
    found = [name for name in ours if floor(name) > floor(own)]
    if own.startswith("robustinfo"):
        found += [name for name in names if name.split(".")[0] in WORKFLOW]
    return sorted(set(found))


def test_imports_go_down_in_every_file():
    assert {str(f): b for f in FILES if (b := breaches(f, f.read_text()))} == {}


def test_every_file_of_both_packages_is_seen():
    there = {file for root in ("src/robustinfo", "pipeline") for file in Path(root).rglob("*.py")}
    assert there == set(FILES) and len(there) > 300
    assert {"robustinfo.cli", "robustinfo.core.errors", "pipeline.__main__"} <= MODULES


@pytest.mark.parametrize(
    ("name", "line", "found"),
    [
        ("src/robustinfo/core/errors.py", "import snakemake", "snakemake"),
        ("src/robustinfo/cli/__init__.py", "import mlflow.client", "mlflow.client"),
        ("src/robustinfo/__init__.py", "from pipeline.run import job", "pipeline.run.job"),
        (
            "src/robustinfo/cli/__init__.py",
            "def later():\n    import pipeline.study",
            "pipeline.study",
        ),
        (
            "src/robustinfo/core/files.py",
            "from robustinfo import evaluation",
            "robustinfo.evaluation",
        ),
        ("src/robustinfo/core/files.py", "from robustinfo import cli", "robustinfo.cli"),
        ("src/robustinfo/maths/kde.py", "import robustinfo.attacks.pgd", "robustinfo.attacks.pgd"),
        ("src/robustinfo/maths/kde.py", "from ..attacks import pgd", "robustinfo.attacks.pgd"),
        ("src/robustinfo/maths/kde.py", "from .. import attacks", "robustinfo.attacks"),
        (
            "src/robustinfo/maths/statistics/ranks.py",
            "from ...evaluation import checks",
            "robustinfo.evaluation.checks",
        ),
        ("src/robustinfo/evaluation/checks.py", "from robustinfo.cli import app", "robustinfo.cli"),
        ("pipeline/study/per.py", "from pipeline.run.job import Job", "pipeline.run.job"),
        ("pipeline/run/job.py", "from pipeline.stages import attack", "pipeline.stages.attack"),
        ("pipeline/results/rows.py", "from ..tracking import dvc", "pipeline.tracking.dvc"),
        ("pipeline/__init__.py", "from pipeline import study", "pipeline.study"),
    ],
)
def test_an_import_that_goes_up_is_seen(name, line, found):
    assert breaches(Path(name), line) == [found]


def test_an_import_of_the_same_floor_goes_up_nowhere():
    file = Path("src/robustinfo/maths/kde.py")
    assert not breaches(file, "from . import entropy\nimport robustinfo.core.errors\n")


def circles(imports: dict[str, set[str]]) -> list[str]:
    """The modules that import themselves, over others or directly."""
    found = []
    for start in imports:
        seen, todo = set(), [*imports[start]]
        while todo:
            one = todo.pop()
            if one not in seen:
                seen.add(one)
                todo += imports.get(one, ())
        if start in seen:
            found.append(start)
    return found


def test_no_file_imports_itself_over_others():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == ["a", "b", "c"]
    ours = {
        own: {name for name in imported(file, file.read_text()) if name in MODULES and name != own}
        for file, own in FILES.items()
    }
    assert circles(ours) == []


def test_no_file_is_longer_than_one_reads():
    lines = {str(file): len(file.read_text().splitlines()) for file in FILES}
    assert {file: many for file, many in lines.items() if many > LONGEST} == {}


def test_few_files_lie_outside_the_rooms_of_the_pipeline():
    assert len([file for file in Path("pipeline").iterdir() if file.is_file()]) <= 5
