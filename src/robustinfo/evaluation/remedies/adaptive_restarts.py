"""Who knows the defence breaks more: the adaptive attack again, from other random starts.

Tramer et al. (2020), arXiv 2002.08347. The adaptive attacks of the evaluation, the user's own
functions among them, until further starts break no more.
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from robustinfo.evaluation import protocol
from robustinfo.evaluation.cost import Cost
from robustinfo.evaluation.remedies import GRADIENTS, Attempt, Subject
from robustinfo.evaluation.sizes import Size
from robustinfo.evaluation.threats import Ball

CALLED_BY = ("adaptive_only_fraction",)
ACCESS = (GRADIENTS,)
RANDOMISED = False
UNTIL_FLAT = True
AGAIN = 4


def cost(size: Size, ball: Ball) -> Cost:
    """That of the protocol's adaptive attack, so many times."""
    return protocol.attacks(size, ball, term=True)["adaptive"].cost.times(AGAIN)


def attempts(subject: Subject, *, generator: Generator) -> Iterator[Attempt]:
    """Every adaptive attack that is a function, again and again."""
    adaptive = [
        one
        for one in subject.attacks.values()
        if one.threat.role == "adaptive" and one.images is None
    ]

    def attempt(x: Tensor, y: Tensor) -> Tensor:
        x_adv, left = x.clone(), torch.ones_like(y, dtype=torch.bool)
        for one in adaptive:
            found, success = one.perturb(subject.network, x[left], y[left], generator=generator)
            rows = left.nonzero().squeeze(1)[success]
            x_adv[rows], left[rows] = found[success], False
            if not left.any():
                break
        return x_adv

    for _ in range(AGAIN if adaptive else 0):
        yield attempt
