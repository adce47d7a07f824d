"""A threshold network for x1 == x2 whose redundant input x3 is wired with weights w1 and w2.

"One Bit Matters", arXiv 1810.09650, section 3.1 and figure 2b: two hidden units, "both are 1" and
"both are 0", and an output unit that is their OR:

    out = [ [x1 + x2 + w1 x3 > 3/2] + [-x1 - x2 + w2 x3 > -1/2] > 1/2 ],   w1, w2 in {-1, 0, 1}.

Every input and every pair of weights is tried, so nothing here is estimated. The paper's figure 1a
is a picture; these thresholds are ours, half-way between the sums that they tell apart.
"""

from collections.abc import Iterator
from itertools import product

from torch import Generator

from robustinfo.core.measurement import Measurement, exact
from robustinfo.core.settings import Outline, Settings

INPUTS = list(product((0, 1), repeat=3))


class Config(Settings):
    pass


def outline(config: Config) -> Outline:
    """The names of its rows.

    accuracy  share of the eight inputs that the network gets right, by w1 (input) and w2
        (level)
    accuracy_suppressed  with both weights of the redundant input at zero
    accuracy_otherwise  of the best other pair of weights
    """
    weights = (-1, 0, 1)
    return [
        {
            "quantity": ("accuracy",),
            "input": tuple(f"w1 = {w1}" for w1 in weights),
            "level": weights,
        },
        {"quantity": ("accuracy_suppressed", "accuracy_otherwise")},
    ]


def compute(*, config: Config, generator: Generator) -> Iterator[Measurement]:
    """Accuracy over the eight inputs for each w1 and w2 (the level), at (0, 0), and the best else.

    Draws nothing.
    """
    accuracies = {weights: accuracy(*weights) for weights in product((-1, 0, 1), repeat=2)}
    for (w1, w2), value in accuracies.items():
        yield exact("accuracy", value)._replace(input=f"w1 = {w1}", level=w2)
    suppressed = accuracies.pop((0, 0))
    yield exact("accuracy_suppressed", suppressed)
    yield exact("accuracy_otherwise", max(accuracies.values()))


def accuracy(w1: int, w2: int) -> float:
    """The fraction of inputs (x1, x2, x3) for which the network computes x1 == x2."""
    correct = sum(equal(x1, x2, x3, w1, w2) == (x1 == x2) for x1, x2, x3 in INPUTS)
    return correct / len(INPUTS)


def equal(x1: int, x2: int, x3: int, w1: int, w2: int) -> bool:
    """The output of the network."""
    both = x1 + x2 + w1 * x3 > 1.5
    neither = -x1 - x2 + w2 * x3 > -0.5
    return both + neither > 0.5
