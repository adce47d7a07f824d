"""``package.module:function``: a network that a function of the user returns.

The function is called without arguments; the network itself may stand in its place. Its module is
imported with the current folder on the path, as ``python -m`` has it.
"""

import sys
from collections.abc import Callable
from importlib import import_module, invalidate_caches
from inspect import signature
from pathlib import Path
from types import ModuleType

from torch import nn

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources._error_origin import error_with_origin
from robustinfo.evaluation.sources._globals import restoring_torch_state
from robustinfo.evaluation.sources._request import ModelRequest


def load(text: str, request: ModelRequest) -> nn.Module:
    """The function's network. UserError if there is none, or it fails or returns another type."""
    module_name, _, name = text.partition(":")
    _check_no_file(module_name, name, text)
    with (
        restoring_torch_state()
    ):  # the twin's builder finds its module imported, and torch as this one does
        module = _import(module_name, text)
    function = getattr(module, name, None)
    if isinstance(function, nn.Module):  # the network itself
        return function
    if not callable(function):
        raise UserError(
            f"{text}: {_file(module)} has no function {name!r}; it has "
            f"{', '.join(_builders(module)) or 'none'}"
        )
    _check_no_arguments(function, text, module)
    try:
        network = function()
    except (Exception, SystemExit) as error:  # the user's code may raise anything
        raise UserError(f"{text}() failed: {error_with_origin(error)}") from error
    if not isinstance(network, nn.Module):
        raise UserError(
            f"{text}() gave {type(network).__name__}, not a torch.nn.Module; let it return the "
            "network, images in [0, 1] -> logits"
        )
    return network


def _check_no_file(module_name: str, name: str, text: str) -> None:
    """Raise UserError if a file is named where its module is meant."""
    file = Path(module_name)
    if file.suffix != ".py" and len(file.parts) == 1:
        return
    module = ".".join(file.with_suffix("").parts)
    go = ""
    if file.is_absolute() or ".." in file.parts:
        module, go = file.stem, f"go to the folder {file.parent} and "
    raise UserError(
        f"{text}: {file} is a file, and its module is asked for; {go}write {module}:{name}"
    )


def _check_no_arguments(function: Callable, text: str, module: ModuleType) -> None:
    """Raise UserError if the function has arguments that must be given."""
    try:
        parameters = signature(function)
    except (TypeError, ValueError):  # of some builtins it is not known
        return
    try:
        parameters.bind()
    except TypeError as error:
        raise UserError(
            f"{text}() failed: TypeError: {error}; it is called without arguments: write a "
            f"function in {_file(module)} that returns {text.partition(':')[2]}{parameters} "
            "with its arguments filled in, and name that"
        ) from None


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
