"""Answers alone: HopSkipJump with more steps, which asks for labels and nothing else.

Chen, Jordan and Wainwright (2020), arXiv 1904.02144. Scores that are rounded, or labels, tell a
search by scores nothing; the boundary between two labels does.
"""

from collections.abc import Iterator

from torch import Generator, Tensor

from robustinfo.attacks import hop_skip_jump
from robustinfo.evaluation import protocol
from robustinfo.evaluation.cost import Cost
from robustinfo.evaluation.remedies import ANSWERS, Attempt, Subject
from robustinfo.evaluation.sizes import Size
from robustinfo.evaluation.threats import Ball

CALLED_BY = ("gradient_attacks",)
ACCESS = (ANSWERS,)
RANDOMISED = False
UNTIL_FLAT = False
STEPS = 50


def cost(size: Size, ball: Ball) -> Cost:
    """Its labels, as the protocol's own HopSkipJump counts them."""
    return protocol.attacks(size._replace(walk=STEPS), ball)["hop_skip_jump"].cost


def attempts(subject: Subject, *, generator: Generator) -> Iterator[Attempt]:
    """One walk."""
    config = hop_skip_jump.Config(**subject.in_ball, steps=STEPS)

    def attempt(x: Tensor, y: Tensor) -> Tensor:
        return hop_skip_jump.perturb(subject.network, x, y, config=config, generator=generator)[0]

    yield attempt
