"""Something weaker knows more, or a search was too short: a long one from a black box's images.

Carlini et al. (2019), arXiv 1902.06705: where noise, a single step or a black box breaks what
gradients do not, gradients mislead, or had too little time. So Square with 5,000 queries
(Andriushchenko et al. 2020, arXiv 1912.00049), and then gradient search with 100 steps from the
best point that Square found for each image, from x and from a random point, where there is a
gradient.
"""

from collections.abc import Iterator

from torch import Generator, Tensor

from robustinfo.attacks import gradient_search, square
from robustinfo.attacks._success import fooled
from robustinfo.evaluation.cost import Cost
from robustinfo.evaluation.remedies import ANSWERS, GRADIENTS, Attempt, Subject
from robustinfo.evaluation.sizes import Size
from robustinfo.evaluation.threats import Ball

CALLED_BY = (
    "black_box_only_fraction", "noise_only_fraction", "single_step_only_fraction",
    "short_search_fraction", "convergence_gain", "unconverged_fraction", "no_gradient_fraction",
    "flat_fraction", "never_rises_fraction", "gradient_attacks",
)  # fmt: skip
ACCESS = (GRADIENTS, ANSWERS)
RANDOMISED = False
UNTIL_FLAT = False
QUERIES, STEPS, RESTARTS = 5_000, 100, 1


def cost(size: Size, ball: Ball) -> Cost:
    """Square's queries, and every loss from its point, from x and from random points."""
    return Cost(len(gradient_search.LOSSES) * (2 + RESTARTS) * (STEPS + 1), QUERIES + 20)


def attempts(subject: Subject, *, generator: Generator) -> Iterator[Attempt]:
    """Square, and gradient search from its images."""
    queries = square.Config(**subject.in_ball, queries=QUERIES)
    config = gradient_search.Config(**subject.in_ball, steps=STEPS, restarts=RESTARTS)

    def attempt(x: Tensor, y: Tensor) -> Tensor:
        best = square.best_points(subject.network, x, y, config=queries, generator=generator)
        left = ~fooled(subject.network, best, y)
        if left.any() and not subject.answers_only:
            best[left] = gradient_search.perturb(
                subject.network, x[left], y[left], config=config, generator=generator,
                starts=best[left],
            )[0]  # fmt: skip
        return best

    yield attempt
