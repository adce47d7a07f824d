"""What a method's file says of itself, read from its text: nothing is imported, so it is quick."""

import ast
from functools import cache
from pathlib import Path
from typing import Any, TypeGuard

from robustinfo.core import registry


def summary(kind: str, name: str) -> str:
    """The first line of the file's docstring."""
    return (ast.get_docstring(_tree(kind, name)) or "").partition("\n")[0]


def constant(kind: str, name: str, constant_name: str) -> Any:  # noqa: ANN401 - any literal
    """The value of a constant of the file, ``ROLE = "noise"``; None if it has none."""
    for node in _tree(kind, name).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == constant_name:
            return ast.literal_eval(node.value)
    return None


def field_type(kind: str, name: str, field: str, owner: str = "Config") -> str:
    """The annotation of a field of ``Config``, or of a class that it inherits from; "" if none."""
    (found,) = (node for node in _tree(kind, name).body if _is_class(node, owner))
    for line in found.body:
        if isinstance(line, ast.AnnAssign) and ast.unparse(line.target) == field:
            return ast.unparse(line.annotation)
    for base in map(ast.unparse, found.bases):
        module, _, parent = base.rpartition(".")
        here = any(_is_class(node, parent) for node in _tree(kind, name).body)
        if module in registry.names(kind) or here:
            return field_type(kind, module or name, field, parent)
    return ""


def _is_class(node: ast.stmt, name: str) -> TypeGuard[ast.ClassDef]:
    return isinstance(node, ast.ClassDef) and node.name == name


@cache
def _tree(kind: str, name: str) -> ast.Module:
    file = Path(__file__).parents[1] / kind / f"{name}.py"
    return ast.parse(file.read_text(encoding="utf-8"))
