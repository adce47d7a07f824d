"""Which project files does a job run? Snakemake does not see imported modules; this reads them.

The static import closure of a stage's program and of the methods that its slices name. Files are
parsed, never executed.
"""

import ast
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.run import meaning
from pipeline.run.contract import Contract
from pipeline.study.slices import INNER, KINDS, key_of

HERE = Path()
ROOTS = [Path("src"), Path()]


def code(stage: Contract, read: dict[str, Any], checkout: Path = HERE) -> list[str]:
    """Every project file that a job runs, sorted. read: its slices of the study.

    checkout: the folder whose files are read, and which the paths found are relative to.
    """
    found = closure(stage.program, checkout)
    for short, key in stage.params.items():
        kind = KINDS.get(key_of(key).split(".")[0])
        if kind:
            section = "." not in key_of(key)  # else it is one of the entries
            for entry in read[short].values() if section else [read[short]]:
                for method_kind, method in _methods(kind, entry):
                    found |= closure(f"src/robustinfo/{method_kind}/{method}.py", checkout)
    return sorted(found)


def digest(stage: Contract, read: dict[str, Any]) -> str:
    """Of what every file of ``code`` means (meaning.py): comments and docstrings change nothing."""
    return hashlib.sha256(json.dumps([*map(_meant, code(stage, read))]).encode()).hexdigest()


@cache
def _meant(file: str) -> dict[str, str]:
    return meaning.of([file])


def _methods(kind: str, value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    """(folder, file) of every method that an entry names, its inner entries' too."""
    if not isinstance(value, dict):
        return
    if "method" in value:
        yield kind, value["method"]
    for key, inner in value.items():
        yield from _methods(INNER.get(key, kind), inner)


@cache
def closure(file: str, checkout: Path = HERE) -> frozenset[str]:
    """The file and every project file that it imports, directly or not."""
    found: set[Path] = set()
    todo = [Path(file)]
    while todo:
        one = todo.pop()
        if one not in found:
            found.add(one)
            todo += [f for name in _imports(checkout / one) for f in _locate(name, checkout)]
    return frozenset(map(str, found))


@cache
def _imports(file: Path) -> tuple[str, ...]:
    names = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(names)


@cache
def _locate(name: str, checkout: Path) -> list[Path]:
    """The file of a module, or that of a package: whoever imports from one runs it."""
    path = name.replace(".", "/")
    places = [root / file for root in ROOTS for file in (f"{path}.py", f"{path}/__init__.py")]
    return [file for file in places if (checkout / file).is_file()]
