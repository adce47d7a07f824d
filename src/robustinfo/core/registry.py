"""Find a method by name: its folder is the catalogue, its file name is the key.

Adding a method is adding a file. Nothing here, and no list anywhere, has to change.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from robustinfo.core.settings import pixels

# The function that a file of each folder must define beside ``Config``; the whole contract is in
# the folder's ``__init__.py``.
VERBS = {
    "datasets": "load",
    "distortions": "distort",
    "models": "build",
    "attacks": "perturb",
    "measures": "estimate",
    "complexities": "measure",
    "losses": "loss",
    "defences": "loss_terms",
    "diagnostics": "diagnose",
    "learning": "learn",
    "toys": "compute",
}
# Settings of a diagnostic that name an attack, whose stored results ``diagnose`` gets by this name.
STORED = ("examples", "after", "other")


def names(kind: str) -> list[str]:
    """The methods of one kind, e.g. ``names("attacks") == ["bim", ...]``."""
    folder = Path(__file__).parents[1] / kind
    return sorted(file.stem for file in folder.glob("[!_]*.py"))


def module(kind: str, params: Mapping) -> ModuleType:
    """The file that ``params["method"]`` names. Raises ValueError with the choices."""
    method = params.get("method")
    if method not in names(kind):
        raise ValueError(f"no method {method!r}; {kind}/ has {', '.join(names(kind))}")
    return import_module(f"robustinfo.{kind}.{method}")


def config(kind: str, params: Mapping) -> Any:  # noqa: ANN401  # the method's own Settings
    """The checked settings of an entry. Raises ValueError (pydantic's is one) if they are bad."""
    settings = {key: value for key, value in params.items() if key != "method"}
    return module(kind, params).Config(**settings)


def same_settings(kind: str, one: Mapping, other: Mapping) -> bool:
    """Whether two entries are of one method with the same settings, however they are written."""
    try:
        return one["method"] == other["method"] and config(kind, one) == config(kind, other)
    except ValueError:  # settings that the method no longer has
        return False


def sweep(entry: Mapping) -> Iterator[tuple[float | None, dict[str, Any]]]:
    """(level, entry) per value of ``sweep: {setting: [values]}``; without one, (None, entry).

    The level of ``8/255`` is a number.
    """
    rest = {key: value for key, value in entry.items() if key != "sweep"}
    if "sweep" not in entry:
        yield None, rest
        return
    ((setting, values),) = entry["sweep"].items()
    for value in values:
        yield pixels(value), rest | {setting: value}


def get(kind: str, params: Mapping) -> Callable:
    """The function that VERBS names in the file of an entry, with its checked settings bound."""
    return _bound(kind, json.dumps(params))


def contract(kind: str) -> ModuleType:
    """The contract of a folder's files: ``Method``, and the optional ``Hooks``."""
    return import_module(f"robustinfo.{kind}")


def hook(kind: str, params: Mapping, name: str) -> Any:  # noqa: ANN401 - constants and functions
    """The attribute ``name`` of an entry's file, one of its contract's ``Hooks``.

    Where the file has none: a constant's default in the contract, or None for a function. Raises
    AttributeError for a name that is not in the contract.
    """
    absent = getattr(contract(kind).Hooks, name)
    return getattr(module(kind, params), name, None if callable(absent) else absent)


def reads(kind: str, params: Mapping) -> str | None:
    """The inputs of an entry's method, READS in its file: ``images``, ``texts``; None: either."""
    return hook(kind, params, "READS")


@cache
def _bound(kind: str, text: str) -> Callable:
    """The bound function; each entry is checked once, as losses are looked up at every step."""
    params = json.loads(text)
    return partial(getattr(module(kind, params), VERBS[kind]), config=config(kind, params))
