"""No gradient, or a front that quantises: backward pass differentiable approximation (BPDA).

Athalye et al. (2018), arXiv 1802.00420: the network forward, and backward the identity in place of
what has no gradient (_straight_through.py). Gradient search first through rounding and cuts
wherever they are, then from the last layer that reads an image. What no layer of torch shows is for
distilled_copy.py.
"""

from collections.abc import Iterator
from functools import partial

from torch import Generator, Tensor, nn

from robustinfo.attacks import gradient_search
from robustinfo.evaluation.cost import Cost
from robustinfo.evaluation.remedies import GRADIENTS, Attempt, Subject
from robustinfo.evaluation.remedies._straight_through import differentiable
from robustinfo.evaluation.sizes import Size
from robustinfo.evaluation.threats import Ball

CALLED_BY = (
    "flat_fraction", "no_gradient_fraction", "never_rises_fraction", "accuracy_at_huge_epsilon",
    "binarization_missed_fraction",
)  # fmt: skip
ACCESS = (GRADIENTS,)
RANDOMISED = False
UNTIL_FLAT = False
STEPS, RESTARTS = 50, 1  # and a run from x
MOST = 2  # networks with a gradient


def cost(size: Size, ball: Ball) -> Cost:
    """Every loss on both networks, from x and from a random point."""
    return Cost(MOST * len(gradient_search.LOSSES) * (1 + RESTARTS) * (STEPS + 1), 10 * MOST)


def attempts(subject: Subject, *, generator: Generator) -> Iterator[Attempt]:
    """A search on each network that has a gradient."""
    config = gradient_search.Config(**subject.in_ball, steps=STEPS, restarts=RESTARTS)

    def attempt(network: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        return gradient_search.perturb(network, x, y, config=config, generator=generator)[0]

    for network in differentiable(subject.network, subject.images[:1]):
        yield partial(attempt, network)
