"""Meaning of source files, as a digest of their syntax trees.

Comments, layout, docstrings and kinds of quotes do not change it. Anything else does, the text of
an error included. Trees are serialized here, since ``ast.dump`` differs between versions of Python.
"""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

DIGITS = 12  # hexadecimal, of a file's digest: 48 bits tell a project's files apart


def digests(files: Iterable[str], checkout: Path = Path()) -> dict[str, str]:
    """{file: digest of its meaning}. files: relative to the checkout."""
    return {file: _digest((checkout / file).read_text(encoding="utf-8")) for file in sorted(files)}


def changed(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """Files that were added, removed or changed in meaning, sorted."""
    return sorted(file for file in before.keys() | now.keys() if before.get(file) != now.get(file))


@cache
def _digest(text: str) -> str:
    return hashlib.sha256(serialized(ast.parse(text)).encode()).hexdigest()[:DIGITS]


def serialized(value: Any) -> str:  # noqa: ANN401 - what a field of a tree may hold
    """A syntax tree as text, the same in every version of Python, without docstrings."""
    if isinstance(value, list):
        return f"[{' '.join(map(serialized, value))}]"
    if not isinstance(value, ast.AST):
        return f"{type(value).__name__}:{value!r}"
    fields = []
    for name, child in ast.iter_fields(value):
        if name == "body" and isinstance(child, list):
            child = _without_docstring(value, child)
        # What newer versions of Python add is empty in the programs that older ones can read.
        if child is not None and child != [] and name not in ("kind", "ctx", "type_ignores"):
            fields.append(f"{name}={serialized(child)}")
    return f"{type(value).__name__}({' '.join(fields)})"


def _without_docstring(owner: ast.AST, body: list[ast.stmt]) -> list[ast.stmt]:
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return body[1:] if isinstance(owner, documented) and ast.get_docstring(owner) else body
