"""The request that every source gets, and what several sources share."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from robustinfo.core.errors import TO_COPY, UserError

if TYPE_CHECKING:  # torch is slow to import, and a wrong name is told without it
    import torch
    from torch import nn

    from robustinfo.core.checkpoint import Checkpoint


class ModelRequest(NamedTuple):
    """The images and classes of the network that a source is to load."""

    shape: tuple[int, int, int]  # c, h, w
    classes: int
    device: "torch.device"
    build: str | None = None  # module:Class, of a file of weights
    build_args: Mapping[str, Any] | None = None  # keyword arguments of what builds the network


class Loaded(NamedTuple):
    """What a source has loaded."""

    network: "nn.Module"
    sha256: str | None = None  # None: that of its parameters and buffers
    notes: tuple[str, ...] = ()  # to be told before it is judged
    advice: str = ""  # after the message that it cannot read the images
    checkpoint: "Checkpoint | None" = None


def import_extra(package: str, extra: str | None = None) -> ModuleType:
    """Import a package of an extra, of its own name by default. UserError: how to install it."""
    try:
        return import_module(package)
    except ImportError as error:
        raise UserError(
            f"{extra or package}: networks need {package}, which cannot be imported ({error}); "
            f"next: pip install 'robustinfo[{extra or package}]'"
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
    reason = " ".join(str(error).split())
    return UserError(
        f"{text}: its weights could not be loaded ({type(error).__name__}: {reason}). Next: "
        f"connect to the network once, or copy the weights to {cache} from a machine that has them"
    )


def copy_lines(*lines: str) -> str:
    """Lines of an error's message that the user can copy."""
    return "".join(TO_COPY + line for line in lines)
