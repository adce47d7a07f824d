"""Twice the steps, twice the restarts: do they find more? Then the attack has not converged.

Carlini et al. (2019), arXiv 1902.06705, section 5, and Tramer et al. (2020), arXiv 2002.08347.
PGD against PGD with ``steps`` doubled, and against PGD with ``restarts`` doubled, which leave an
image at its first success. All three draw the same: twice the steps go on from where the first
half ends, twice the restarts begin with the same ones, so that on a network that does not answer
at random neither finds less.
doubled_gain  the larger of the two falls of the accuracy, a fraction of all images.
doubled_p     of that fall, McNemar's exact two-sided p, image by image; at a tie of the steps.

Known bias: what gains nothing has become flat, not strong. Where gradients vanish nothing is gained
either (zero_gradients.py, ascent.py).
"""

from typing import Literal

import torch
from pydantic import PositiveInt
from torch import Generator, Tensor, nn

from robustinfo.attacks import pgd
from robustinfo.attacks._climbable import Climbable
from robustinfo.attacks._foolbox import frozen
from robustinfo.batches import correct, together
from robustinfo.diagnostics._finding import Finding
from robustinfo.diagnostics._kept import kept
from robustinfo.maths.mcnemar import mcnemar
from robustinfo.settings import Norm, Outline, Pixels, Settings


class Config(Settings):
    norm: Norm = "linf"
    epsilon: Pixels
    step_size: Pixels
    steps: PositiveInt
    restarts: PositiveInt = 1
    objective: Literal["cross_entropy", "margin"] = "cross_entropy"


def outline(config: Config) -> Outline:
    """What its rows are called."""
    return [
        {
            "quantity": (
                "doubled_gain",
                "doubled_p",
            )
        }
    ]


def diagnose(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> list[Finding]:
    """x: (n, c, h, w) in [0, 1].  y: (n,) labels."""
    once = pgd.Config(**dict(config), until="fooled")
    more = {"steps": 2 * once.steps}, {"restarts": 2 * once.restarts}
    with kept(model), frozen(model):
        network = Climbable(model).eval()
        right = correct(network, x, y)
        seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
        fell, *others = (
            right & _fallen(network, x, y, config=once.model_copy(update=change), seed=seed)
            for change in ({}, *more)
        )
    found = [(int((other & ~fell).sum()), int((fell & ~other).sum())) for other in others]
    b, c = max(found, key=lambda pair: pair[0] - pair[1])
    return [Finding("doubled_gain", (b - c) / len(y)), Finding("doubled_p", mcnemar(b, c))]


def _fallen(network: nn.Module, x: Tensor, y: Tensor, *, config: pgd.Config, seed: int) -> Tensor:
    """(n,) bool. Every batch begins with a seed of its own, whatever was drawn for others."""
    parts = together(x, y)
    fallen = []
    for number, (a, b) in enumerate(parts):
        own = Generator(x.device).manual_seed(seed + number)
        fallen.append(pgd.perturb(network, a, b, config=config, generator=own)[1])
    return torch.cat(fallen)
