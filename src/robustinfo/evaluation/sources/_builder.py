"""Build a network by code of the user: ``package.module:function``, or a class, with arguments.

Its module is imported with the current folder on the path, as ``python -m`` has it.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module, invalidate_caches
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Any

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources._error_origin import error_with_origin
from robustinfo.evaluation.sources._globals import restoring_torch_state
from robustinfo.evaluation.sources._request import copy_lines


def named(text: str) -> tuple[Any, Path | None]:
    """What ``package.module:name`` is, and its source file. Raises UserError if there is none."""
    module_name, _, name = text.partition(":")
    _check_no_file(module_name, name, text)
    with (
        restoring_torch_state()
    ):  # the twin's builder finds its module imported, and torch as this one does
        module = _import(module_name, text)
    if not hasattr(module, name):
        raise UserError(
            f"{text}: {_file(module)} has no function {name!r}; it has "
            f"{', '.join(_builders(module)) or 'none'}"
        )
    file = getattr(module, "__file__", None)
    return getattr(module, name), Path(file) if file else None


def call(builder: Callable, text: str, build_args: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """What the builder returns for these arguments. Raises UserError where they do not fit."""
    if problem := arguments_problem(builder, build_args):
        raise UserError(arguments_error(builder, text, problem))
    try:
        return builder(**build_args)
    except (Exception, SystemExit) as error:  # the user's code may raise anything
        raise UserError(f"{text}() failed: {error_with_origin(error)}") from error


def arguments_problem(builder: Callable, build_args: Mapping[str, Any]) -> str:
    """What is wrong with the arguments; empty if nothing is, or of a builtin nothing is known."""
    try:
        parameters = signature(builder)
    except (TypeError, ValueError):
        return ""
    try:
        parameters.bind(**build_args)
    except TypeError as error:
        return str(error)
    return ""


def arguments_error(builder: Callable, text: str, problem: str) -> str:
    """The message on arguments that do not fit, with the lines to copy."""
    parameters, name = signature(builder), text.partition(":")[2]
    asked = [one.name for one in parameters.parameters.values() if one.default is one.empty]
    values = ", ".join(f'"{one}": VALUE' for one in asked)
    return (
        f"{text}: {problem}; it is called as {name}{parameters}, with what --build-args gives, or "
        "by a function of yours without arguments:"
        + copy_lines(
            f"--build-args '{{{values}}}'",
            "def build():",
            f"    return {name}({', '.join(f'{one}=VALUE' for one in asked)})",
        )
    )


def _check_no_file(module_name: str, name: str, text: str) -> None:
    """Raise UserError if a file is named where its module is meant."""
    file = Path(module_name)
    if file.suffix != ".py" and len(file.parts) == 1:
        return
    module, lines = ".".join(file.with_suffix("").parts), []
    if file.is_absolute() or ".." in file.parts:
        module, lines = file.stem, [f"cd {file.parent}"]
    raise UserError(
        f"{text}: {file} is a file, and its module is asked for:"
        + copy_lines(*lines, f"robustinfo judge {module}:{name}")
    )


def _file(module: ModuleType) -> str:
    return getattr(module, "__file__", None) or module.__name__


def _builders(module: ModuleType) -> list[str]:
    """The names of callables that the module itself defines."""
    return [
        name
        for name, value in vars(module).items()
        if callable(value) and value.__module__ == module.__name__
    ]


def _import(name: str, text: str) -> ModuleType:
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)  # it stays: the network may import more when it is called
    invalidate_caches()
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            raise UserError(
                f"{text}: no module {error.name!r} in {folder} or among the installed packages; "
                "go to the folder that has it, or install it"
            ) from error
        raise UserError(f"{text}: importing {name} failed: {error_with_origin(error)}") from error
    except (Exception, SystemExit) as error:
        raise UserError(f"{text}: importing {name} failed: {error_with_origin(error)}") from error
