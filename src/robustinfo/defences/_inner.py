"""The inner maximisation of defences that train on PGD's last iterate on the cross-entropy."""

from typing import Protocol

from torch import Generator, Tensor, nn

from robustinfo.attacks import pgd
from robustinfo.attacks._fused_batchnorm import fold_for_training


class Config(Protocol):
    """The settings that such a defence has."""

    attack: pgd.Config


def adversaries(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> Tensor:
    """The last iterate of PGD for every image, successful or not. Like x; made in eval mode."""
    copy = fold_for_training(model, x)
    return pgd.craft(copy, x, y, config=config.attack, generator=generator)
