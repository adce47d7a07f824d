"""The request that every source gets, and what several sources share."""

from collections.abc import Iterable
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

import torch
from torch import Tensor, nn

from robustinfo.core.errors import UserError


class ModelRequest(NamedTuple):
    """The images and classes of the network that a source is to load."""

    shape: tuple[int, int, int]  # c, h, w
    classes: int


class Normalised(nn.Module):
    """A network of images in [0, 1], around one of images (x - mean) / std by channel."""

    mean: Tensor  # (c, 1, 1)
    std: Tensor

    def __init__(self, network: nn.Module, mean: Iterable[float], std: Iterable[float]) -> None:
        super().__init__()
        self.network = network
        for name, values in (("mean", mean), ("std", std)):
            numbers = torch.tensor([*values]).view(-1, 1, 1)
            self.register_buffer(name, numbers, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.network((x - self.mean) / self.std)


def normalised(
    network: nn.Module,
    mean: Iterable[float],
    std: Iterable[float],
    text: str,
    request: ModelRequest,
) -> Normalised:
    """The network with normalisation. Raises UserError if mean and images differ in channels."""
    mean = [*mean]
    if len(mean) != request.shape[0]:
        raise UserError(
            f"{text} reads images of {len(mean)} channels, the data has {request.shape[0]}; choose "
            "another network or other data"
        )
    return Normalised(network, mean, std)


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
