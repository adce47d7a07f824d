"""What a program computes, as a digest: its syntax trees, without what only readers see.

Comments, layout, docstrings and the kind of a quote change nothing. Any other change of a file is
one, that of an error's text too: what a tree means is not decided here. A tree is written out by
rules of its own, since ``ast.dump`` differs between versions of Python.
"""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

DIGITS = 12  # hexadecimal, of a file's digest: 48 bits tell a project's files apart


def of(files: Iterable[str], checkout: Path = Path()) -> dict[str, str]:
    """The digest of every file. files: relative to the checkout."""
    return {file: _digest((checkout / file).read_text(encoding="utf-8")) for file in sorted(files)}


def changed(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """The files that came, went or mean something else, sorted."""
    return sorted(file for file in before.keys() | now.keys() if before.get(file) != now.get(file))


@cache
def _digest(text: str) -> str:
    return hashlib.sha256(written(ast.parse(text)).encode()).hexdigest()[:DIGITS]


def written(value: Any) -> str:  # noqa: ANN401 - what a field of a tree may hold
    """A syntax tree as text, alike in every version of Python; docstrings are left out."""
    if isinstance(value, list):
        return f"[{' '.join(map(written, value))}]"
    if not isinstance(value, ast.AST):
        return f"{type(value).__name__}:{value!r}"
    fields = []
    for name, held in ast.iter_fields(value):
        if name == "body" and isinstance(held, list):
            held = _without_docstring(value, held)
        # What newer versions of Python add is empty in the programs that older ones can read.
        if held is not None and held != [] and name not in ("kind", "ctx", "type_ignores"):
            fields.append(f"{name}={written(held)}")
    return f"{type(value).__name__}({' '.join(fields)})"


def _without_docstring(owner: ast.AST, body: list[ast.stmt]) -> list[ast.stmt]:
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return body[1:] if isinstance(owner, documented) and ast.get_docstring(owner) else body
