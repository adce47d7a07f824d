"""Randomised answers: AutoAttack's version for them, beside our own EOT.

Croce and Hein (2020), arXiv 2003.01690, by their package: APGD on the cross-entropy and on the
difference of logits ratio, 100 steps each, every gradient the mean of 20 draws.
"""

from collections.abc import Iterator
from functools import partial

import torch
from pyautoattack import AutoAttack
from torch import Generator, Tensor

from robustinfo.attacks.autoattack import restoring_global_state
from robustinfo.attacks.square import NORMS
from robustinfo.evaluation.cost import Cost
from robustinfo.evaluation.remedies import GRADIENTS, Attempt, Subject
from robustinfo.evaluation.sizes import Size
from robustinfo.evaluation.threats import Ball

CALLED_BY = ("forwards_differ_fraction",)
ACCESS = (GRADIENTS,)
RANDOMISED = True
UNTIL_FLAT = False
STEPS, DRAWS, LOSSES = 100, 20, 2


def cost(size: Size, ball: Ball) -> Cost:
    """Both losses."""
    return Cost(LOSSES * STEPS * DRAWS, 10)


def attempts(subject: Subject, *, generator: Generator) -> Iterator[Attempt]:
    """One run of both."""
    yield partial(_run, subject, generator)


def _run(subject: Subject, generator: Generator, x: Tensor, y: Tensor) -> Tensor:
    seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
    norm, epsilon = NORMS[subject.ball.norm], subject.ball.epsilon
    with restoring_global_state():
        attack = AutoAttack(
            subject.network, norm=norm, eps=epsilon, version="rand", seed=seed, device=x.device
        )
        return attack.run_standard_evaluation(x.contiguous(), y, batch_size=len(x))[0]
