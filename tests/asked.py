"""What the program of a stage asks of its job, by syntax tree: roles, artifacts, parameters.

From ``run`` on, every function of pipeline/ that is named there and takes a ``job`` is followed.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

READERS = ("file", "files", "paths")
PARAMETERS = "job.params"


class Asked(NamedTuple):
    """one: roles of which it takes the only file. whole: it hands on all parameters at once."""

    roles: set[str]
    one: set[str]
    writes: set[str]
    params: set[str]
    whole: bool


def of(program: str) -> Asked:
    """What a stage's file asks for. Raises AssertionError where a role is no literal."""
    nodes = [node for function in _followed(program) for node in ast.walk(function)]
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    reads = [node for node in calls if _of_job(node.func) in READERS]
    called = {id(node.func) for node in reads}
    for node in nodes:
        assert _of_job(node) not in READERS or id(node) in called, ast.unparse(node)
    roles = [(ast.literal_eval(node.args[0]), node) for node in reads]
    given = [one for node in calls for one in (*node.args, *(more.value for more in node.keywords))]
    return Asked(
        roles={role for role, _ in roles},
        one={role for role, node in roles if _of_job(node.func) == "file" and not node.keywords},
        writes=_keys(nodes, "job.writes"),
        params=_keys(nodes, PARAMETERS),
        whole=PARAMETERS in map(ast.unparse, given),
    )


def subscripts(files: Iterator[str]) -> set[str]:
    """Every text that stands in brackets in these files, as in ``study["seeds"]``."""
    nodes = (node for file in files for node in ast.walk(_tree(Path(file))))
    return {
        node.slice.value
        for node in nodes
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)
    }


def _of_job(node: ast.AST) -> str:
    """``file`` of ``job.file``; empty for anything else."""
    own = isinstance(node, ast.Attribute) and ast.unparse(node.value) == "job"
    return node.attr if own else ""


def _keys(nodes: list[ast.AST], mapping: str) -> set[str]:
    return {
        ast.literal_eval(node.slice)
        for node in nodes
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == mapping
    }


def _followed(program: str) -> list[ast.FunctionDef]:
    """The functions that get the job, ``run`` first."""
    found: dict[tuple[Path, str], ast.FunctionDef] = {}
    todo = [(Path(program), "run")]
    while todo:
        file, name = todo.pop()
        function = _functions(file).get(name)
        if function and (file, name) not in found:
            found[file, name] = function
            todo += _named(file, function)
    return [*found.values()]


def _named(file: Path, function: ast.FunctionDef) -> Iterator[tuple[Path, str]]:
    """(file, name) of whatever a function names of its own file and of others in pipeline/."""
    known = _imports(file)
    for node in ast.walk(function):
        if isinstance(node, ast.Name):
            module, _, name = known.get(node.id, "").rpartition(".")
            yield (_file(module), name) if module else (file, node.id)
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) in known:
            yield _file(known[ast.unparse(node.value)]), node.attr


def _file(module: str) -> Path:
    return Path(module.replace(".", "/")).with_suffix(".py")


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8") if file.is_file() else "")


@cache
def _functions(file: Path) -> dict[str, ast.FunctionDef]:
    """Those that take a job."""
    functions = [one for one in _tree(file).body if isinstance(one, ast.FunctionDef)]
    return {one.name: one for one in functions if "job" in [arg.arg for arg in one.args.args]}


@cache
def _imports(file: Path) -> dict[str, str]:
    """{name here: whole name} of what a file imports from pipeline/."""
    return {
        alias.asname or alias.name: f"{one.module}.{alias.name}"
        for one in ast.walk(_tree(file))
        if isinstance(one, ast.ImportFrom) and (one.module or "").startswith("pipeline.")
        for alias in one.names
    }
