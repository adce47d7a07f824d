"""``package.module:function``: a network that a function of the user's own gives.

The function is called without arguments. Its module is imported with the current folder on the
path, as ``python -m`` has it.
"""

import sys
from importlib import import_module, invalidate_caches
from pathlib import Path
from traceback import extract_tb
from types import ModuleType

from torch import nn

from robustinfo.faults import Fault
from robustinfo.sources._asked import Asked


def load(text: str, asked: Asked) -> nn.Module:
    """What the function gives. Raises Fault if there is none, if it fails, or gives no network."""
    module_name, _, name = text.partition(":")
    module = _imported(module_name, text)
    function = getattr(module, name, None)
    if not callable(function):
        there = [
            key
            for key, value in vars(module).items()
            if callable(value) and value.__module__ == module_name
        ]
        raise Fault(
            f"{text}: {getattr(module, '__file__', module_name)} has no function {name!r}; it has "
            f"{', '.join(there) or 'none'}"
        )
    try:
        network = function()
    except (Exception, SystemExit) as error:  # whatever code of somebody else's raises
        raise Fault(f"{text}() failed: {_said(error)}") from error
    if not isinstance(network, nn.Module):
        raise Fault(
            f"{text}() gave {type(network).__name__}, not a torch.nn.Module; let it return the "
            "network, images in [0, 1] -> logits"
        )
    return network


def _imported(name: str, text: str) -> ModuleType:
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)  # it stays: the network may import more when it is called
    invalidate_caches()
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            raise Fault(
                f"{text}: no module {error.name!r} in {folder} or among the installed packages; "
                "go to the folder that has it, or install it"
            ) from error
        raise Fault(f"{text}: importing {name} failed: {_said(error)}") from error
    except Exception as error:
        raise Fault(f"{text}: importing {name} failed: {_said(error)}") from error


def _said(error: Exception) -> str:
    """The error, and the last line of the user's own on the way to it."""
    frames = extract_tb(error.__traceback__)
    here = [f for f in frames if Path(f.filename).is_relative_to(Path.cwd())]
    own = [f for f in here if "site-packages" not in f.filename] or frames
    return f"{type(error).__name__}: {error} ({own[-1].filename}:{own[-1].lineno})"
