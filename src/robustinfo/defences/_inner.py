"""The inner maximisation of defences that train on where PGD on the cross-entropy ends."""

from typing import Protocol

from torch import Generator, Tensor, nn

from robustinfo.attacks import pgd


class Config(Protocol):
    """What such a defence says of it."""

    attack: pgd.Config


def adversaries(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> Tensor:
    """Where PGD ends for every image, fooling or not. Like x; made in eval mode."""
    return pgd.craft(model, x, y, config=config.attack, generator=generator)
