"""Source files that a job runs: Snakemake does not see imported modules.

They are the static import closure of a stage's program and of the methods that its slices name.
Files are parsed, never executed.
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
from pipeline.study import external
from pipeline.study.slices import KINDS, NESTED_ENTRIES, key_of
from robustinfo.core.settings import Entry

HERE = Path()
READER = "pipeline/run/external.py"  # imported where a job has such a network
LOADERS = "src/robustinfo/evaluation/sources/**/*.py"  # that it imports by name
ROOTS = [Path("src"), Path()]


def source_files(stage: Contract, params: dict[str, Any], checkout: Path = HERE) -> list[str]:
    """Every project file that a job runs, sorted. params: its slices of the study.

    checkout: the folder whose files are read; the paths are relative to it.
    """
    files = set(closure(stage.program, checkout))
    for pattern in stage.files:  # those of Python it imports by name
        if pattern.endswith(".py"):
            named = (str(file.relative_to(checkout)) for file in checkout.glob(pattern))
            files |= {file for one in named for file in closure(one, checkout)}
    for short, key in stage.params.items():
        kind = KINDS.get(key_of(key).split(".")[0])
        if kind:
            is_section = "." not in key_of(key)  # else it is one of the entries
            for entry in params[short].values() if is_section else [params[short]]:
                if external.is_external(entry):
                    # Without a device, a stage does not load it, and only looks at its name.
                    files |= _files_of_external(entry, checkout) if stage.device else set()
                    continue
                for method_kind, method in _methods(kind, entry):
                    files |= closure(f"src/robustinfo/{method_kind}/{method}.py", checkout)
    return sorted(files)


def _files_of_external(entry: Entry, checkout: Path) -> set[str]:
    """What loads a network that the study did not train, and the project's code that builds it."""
    found = [str(file.relative_to(checkout)) for file in sorted(checkout.glob(LOADERS))]
    for name in external.modules(entry):
        found += map(str, _locate(name, checkout))
    return {file for one in (READER, *found) for file in closure(one, checkout)}


def digest(stage: Contract, params: dict[str, Any]) -> str:
    """sha256 of the meanings (meaning.py) of a job's ``source_files``; ignores comments."""
    return hashlib.sha256(
        json.dumps([*map(_file_meaning, source_files(stage, params))]).encode()
    ).hexdigest()


@cache
def _file_meaning(file: str) -> dict[str, str]:
    return meaning.digests([file])


def _methods(kind: str, value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    """(folder, file) of every method that an entry and its nested entries name."""
    if not isinstance(value, dict):
        return
    if "method" in value:
        yield kind, value["method"]
    for key, inner in value.items():
        yield from _methods(NESTED_ENTRIES.get(key, kind), inner)


@cache
def closure(file: str, checkout: Path = HERE) -> frozenset[str]:
    """The file and every project file that it imports, directly or not."""
    seen: set[Path] = set()
    to_read = [Path(file)]
    while to_read:
        current = to_read.pop()
        if current not in seen:
            seen.add(current)
            to_read += [f for name in _imports(checkout / current) for f in _locate(name, checkout)]
    return frozenset(map(str, seen))


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
    """Project files of a module: its own, or the ``__init__.py`` of a package."""
    path = name.replace(".", "/")
    places = [root / file for root in ROOTS for file in (f"{path}.py", f"{path}/__init__.py")]
    return [file for file in places if (checkout / file).is_file()]
