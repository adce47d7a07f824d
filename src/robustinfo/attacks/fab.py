"""FAB, the fast adaptive boundary attack: the smallest perturbation that it finds.

Croce and Hein (2020), arXiv 1907.02044, step by step as in the authors' pyautoattack, on a folded
copy of the network (see _fab_run.py and _fused_batchnorm.py). Every step goes to the nearest point
of the box [0, 1] on the linearised classifier's boundary, a little beyond it (eta = 1.05), and back
towards x (alpha_max = 0.1); a misclassified point is moved back towards x by beta = 0.9.
``targets`` aims at the likeliest wrong classes, one run for each, instead of the nearest boundary
of all, which takes K gradients a step; AutoAttack has 9.
Further ``restarts`` begin at random, half an epsilon away, with the images not broken so far.

An image counts once a run ends within epsilon, as in the package; without an epsilon the smallest
perturbation of all runs counts. The paper's final search, three steps along the line to x, is not
in the package. Known bias: gradients below 1e-8 count as zero in l2 and l1.
"""

from functools import partial
from itertools import product
from typing import Self

import torch
from pydantic import PositiveInt, model_validator
from torch import Generator, Tensor, nn

from robustinfo.attacks._fab_run import run
from robustinfo.attacks._frozen import frozen, seeded
from robustinfo.attacks._fused_batchnorm import fold_batchnorm
from robustinfo.attacks._restarts import run_attempts
from robustinfo.attacks._success import fooled, keep_successes
from robustinfo.core.settings import Norm, Pixels, Settings
from robustinfo.maths.balls import distance
from robustinfo.maths.margin import wrong_classes

ROLE = "iterated"


class Config(Settings):
    norm: Norm = "linf"
    epsilon: Pixels | None = None  # None: any perturbation counts
    steps: PositiveInt = 100
    restarts: PositiveInt = 1
    targets: PositiveInt | None = None  # None: untargeted

    @model_validator(mode="after")
    def restarts_have_an_epsilon(self) -> Self:
        """They begin at a distance that epsilon gives."""
        if self.restarts > 1 and self.epsilon is None:
            raise ValueError(f"{self.restarts} `restarts` begin half an `epsilon` away; write one")
        return self


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Attack x, (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, and lies within epsilon if there is one; a failure
    returns its x. Of fewer wrong classes than ``targets`` all are tried.
    """
    near_enough = -1.0 if config.epsilon is None else config.epsilon
    smallest = torch.full_like(y, torch.inf, dtype=x.dtype)

    def attempt(ranks: slice, restart: int, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        a, b = x[rows], y[rows]
        classes = torch.cat([b[:, None], wrong[rows, ranks]], 1)
        start = _start(a, config.norm, near_enough / 2) if restart else a
        found = run(folded, a, b, classes, start=start, norm=config.norm, steps=config.steps)
        size = distance(found - a, config.norm)
        closer = fooled(model, found, b) & (size < smallest[rows])
        smallest[rows[closer]] = size[closer]
        return found, closer, smallest[rows] <= near_enough

    with frozen(model), seeded(x, generator):
        folded = fold_batchnorm(model, x)
        with torch.no_grad():
            wrong = wrong_classes(model(x), y)
        attempts = product(_targets(config, wrong.shape[1]), range(config.restarts))
        all_images = torch.ones_like(y, dtype=torch.bool)
        nearest, _, _ = run_attempts(x, all_images, (partial(attempt, *one) for one in attempts))
    return keep_successes(model, x, y, nearest, norm=config.norm, epsilon=config.epsilon)


def _targets(config: Config, wrong: int) -> list[slice]:
    """The wrong classes of every run, by rank of likelihood."""
    if config.targets is None:
        return [slice(wrong)]
    return [slice(rank, rank + 1) for rank in range(min(config.targets, wrong))]


def _start(x: Tensor, norm: str, radius: float) -> Tensor:
    """Images at this distance, cut to [0, 1], from torch's global random numbers. Like x."""
    draw = 2 * torch.rand_like(x) - 1 if norm == "linf" else torch.randn_like(x)
    return (x + radius * draw / distance(draw, norm).view(-1, 1, 1, 1)).clamp(0, 1)
