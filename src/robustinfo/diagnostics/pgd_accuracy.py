"""Accuracy under PGD: swept over epsilon, it must fall, and reach 0 where epsilon is huge.

Carlini et al. (2019), arXiv 1902.06705, section 5. A model that survives an attack which may
paint any image is not robust: the attack has failed.
"""

import torch
from pydantic import PositiveInt
from torch import Generator, Tensor, nn

from robustinfo.attacks import pgd
from robustinfo.attacks._foolbox import frozen
from robustinfo.settings import Norm, Pixels, PositiveNumber, Settings


class Config(Settings):
    norm: Norm = "linf"
    epsilon: Pixels
    steps: PositiveInt = 20
    relative_step_size: PositiveNumber | None = None  # of epsilon; None: 2.5 / steps


def diagnose(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> dict[str, float]:
    """x: (n, c, h, w) in [0, 1].  y: (n,) labels.  Fractions of the n images."""
    attack = pgd.Config(
        norm=config.norm,
        epsilon=config.epsilon,
        step_size=config.epsilon * (config.relative_step_size or 2.5 / config.steps),
        steps=config.steps,
        until="fooled",
    )
    _, success = pgd.perturb(model, x, y, config=attack, generator=generator)
    with frozen(model), torch.no_grad():
        correct = model(x).argmax(1) == y
    return {"pgd_accuracy": (correct & ~success).double().mean().item()}
