"""Normalisation of images by mean and standard deviation, put inside of a network."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from robustinfo.core.errors import UserError

Numbers = float | Iterable[float]  # one for all channels, or one per channel


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

    def note(self) -> str:
        """What it does, for people."""
        mean, std = (
            ", ".join(f"{one:.4g}" for one in numbers.flatten().tolist())
            for numbers in (self.mean, self.std)
        )
        return f"reads (x - mean) / std: mean {mean}; std {std}"

    def forward(self, x: Tensor) -> Tensor:
        return self.network((x - self.mean) / self.std)


def normalised(
    network: nn.Module, mean: Numbers | None, std: Numbers | None, text: str, channels: int
) -> nn.Module:
    """The network with normalisation; as it is if both are None.

    Raises UserError if only one is given, or numbers and channels do not fit.
    """
    if mean is None and std is None:
        return network
    if mean is None or std is None:
        raise UserError(f"{text}: mean and std belong together; give both, of images in [0, 1]")
    means, stds = _by_channel(mean, "mean", text, channels), _by_channel(std, "std", text, channels)
    if not all(value > 0 for value in stds):
        raise UserError(f"{text}: std is {stds}, and divides the images; give numbers above 0")
    return Normalised(network, means, stds)


def _by_channel(numbers: Numbers, name: str, text: str, channels: int) -> list[float]:
    values = [float(one) for one in numbers] if isinstance(numbers, Iterable) else [float(numbers)]
    if not all(map(math.isfinite, values)):
        raise UserError(f"{text}: {name} is {values}; give finite numbers")
    if len(values) not in (1, channels):
        raise UserError(
            f"{text}: {name} is of images of {len(values)} channels, the data has {channels}; "
            "choose another network or other data"
        )
    return values
