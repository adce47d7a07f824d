"""The request that every source gets, and what several sources share."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

from robustinfo.core.errors import UserError


class ModelRequest(NamedTuple):
    """The images and classes of the network that a source is to load."""

    shape: tuple[int, int, int]  # c, h, w
    classes: int
    build: str | None = None  # module:Class, of a file of weights
    build_args: Mapping[str, Any] | None = None  # keyword arguments of what builds the network


def import_extra(package: str) -> ModuleType:
    """Import an optional package. Raises UserError with the command that installs it."""
    try:
        return import_module(package)
    except ImportError as error:
        raise UserError(
            f"{package}: networks need {package}, which cannot be imported ({error}); "
            f"next: pip install 'robustinfo[{package}]'"
        ) from error


def check_name(name: str, known: Iterable[str], text: str, source: str) -> None:
    """Raise UserError with the most similar names unless ``name`` is one of them."""
    known = sorted(known)
    if name not in known:
        similar = get_close_matches(name, known, n=5, cutoff=0.5) or known[:5]
        raise UserError(
            f"{text}: {source} has no {name!r} among its {len(known)} networks; similar: "
            f"{', '.join(similar)}"
        )


def unavailable(text: str, error: Exception, cache: str) -> UserError:
    """The error of pretrained weights that cannot be loaded.  cache: the folder of weights."""
    return UserError(
        f"{text}: its weights could not be loaded ({type(error).__name__}: {error}). Next: connect "
        f"to the network once, or copy the weights to {cache} from a machine that has them"
    )


def copy_lines(*lines: str) -> str:
    """Lines of an error's message that the user can copy."""
    return "".join(f"\n    {line}" for line in lines)
