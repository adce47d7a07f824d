"""Vanishing gradients: losses that no scale of the logits changes, on logits in float64.

Carlini and Wagner (2017), arXiv 1608.04644, and Croce and Hein (2020), arXiv 2003.01690: the margin
and the difference of logits ratio have a gradient where the cross-entropy of a sure network has
none. Gradient search on all of its losses, through the logits of _logits.py: before a softmax, in
float64, divided by their largest difference.
"""

from collections.abc import Iterator

from torch import Generator, Tensor

from robustinfo.attacks import gradient_search
from robustinfo.evaluation.cost import Cost
from robustinfo.evaluation.remedies import GRADIENTS, Attempt, Subject
from robustinfo.evaluation.remedies._logits import Logits
from robustinfo.evaluation.sizes import Size
from robustinfo.evaluation.threats import Ball

CALLED_BY = (
    "hidden_fraction", "flat_fraction", "never_rises_fraction", "binarization_missed_fraction",
    "accuracy_at_huge_epsilon", "rise_with_epsilon", "probabilities_fraction",
)  # fmt: skip
ACCESS = (GRADIENTS,)
RANDOMISED = False
UNTIL_FLAT = False
STEPS, RESTARTS = 50, 1  # and a run from x


def cost(size: Size, ball: Ball) -> Cost:
    """Every loss, from x and from a random point; a gradient in float64 counts as one."""
    return Cost(len(gradient_search.LOSSES) * (1 + RESTARTS) * (STEPS + 1), 10)


def attempts(subject: Subject, *, generator: Generator) -> Iterator[Attempt]:
    """One search."""
    config = gradient_search.Config(**subject.in_ball, steps=STEPS, restarts=RESTARTS)
    logits = Logits(subject.network, subject.images[:1])

    def attempt(x: Tensor, y: Tensor) -> Tensor:
        return gradient_search.perturb(logits, x, y, config=config, generator=generator)[0]

    yield attempt
