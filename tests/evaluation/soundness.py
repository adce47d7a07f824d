"""Networks whose answer is proved, image by image, and what an evaluation says of them.

On a linear classifier the distance to the nearest boundary is |z_y - z_k| / |w_y - w_k| in the dual
norm; its images are mid-grey, so that no ball meets the edges of [0, 1]. In l1 all do, and the
worst case is a knapsack (tests/knapsack.py). Small ReLU networks are solved exactly (exact.py);
with a thousand times the logits the decisions are the same.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from benchmarks.honest import fitting
from robustinfo.core.batches import to_float
from robustinfo.evaluation.by_protocol import evaluate_by_protocol
from robustinfo.evaluation.sizes import Size
from robustinfo.evaluation.threats import Ball
from tests.conftest import linear_problem
from tests.evaluation.defects.defect import After
from tests.evaluation.exact import MARGIN, solved
from tests.evaluation.networks import images
from tests.knapsack import at_the_edges

IMAGES, HIDDEN, EPSILON = 100, 16, 0.05  # of the ReLU networks, linf
IN_L1 = 5.0  # epsilon
DUAL = {"linf": 1, "l2": 2}
NEAR = 1e-4  # of a distance: who is nearer to epsilon is neither safe nor broken


class Problem(NamedTuple):
    """A network, its images, and which of them are proved safe, or broken: (n,) bool each."""

    model: nn.Module
    x: Tensor
    y: Tensor
    classes: int
    ball: Ball
    safe: Tensor
    broken: Tensor


class Found(NamedTuple):
    """Counts of images; ``turned`` are safe ones that an attack is said to have turned."""

    safe: int
    turned: int
    broken: int
    missed: int
    attacks: int

    @property
    def found(self) -> int:
        return self.broken - self.missed


@cache
def linear(norm: str) -> Problem:
    """Half of the images are within epsilon of a boundary."""
    p = linear_problem(4, pixels=8)
    logits = p.model(p.x).detach().double()
    gaps = logits.gather(1, p.y[:, None]) - logits
    reach = (p.weight[None] - p.weight[p.y][:, None]).double().norm(p=DUAL[norm], dim=2)
    distance = (gaps / reach).nan_to_num(torch.inf).amin(1)  # 0 / 0 at the class itself
    epsilon = distance.sort()[0][31:33].mean().item()
    safe, broken = distance > (1 + NEAR) * epsilon, distance < (1 - NEAR) * epsilon
    return Problem(p.model, p.x, p.y, 4, Ball(norm=norm, epsilon=epsilon), safe, broken)


def small(hidden: int = HIDDEN) -> nn.Sequential:
    """7 x 7 averages of 28 x 28 pixels, two hidden layers, ten classes."""
    torch.manual_seed(0)
    first = [nn.AvgPool2d(4), nn.Flatten(), nn.Linear(49, hidden), nn.ReLU()]
    return nn.Sequential(*first, nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 10))


@cache
def linear_in_l1(epsilon: float = 1.5) -> Problem:
    """About three quarters of the images can be broken."""
    p, ball = at_the_edges(epsilon), Ball(norm="l1", epsilon=epsilon)
    return Problem(p.model, p.x, p.y, 5, ball, p.worst < -MARGIN, p.worst > MARGIN)


@cache
def relu(training: str, norm: str = "linf", epsilon: float = EPSILON) -> Problem:
    """A network trained ``plainly`` or ``certifiably``, on the first test images of the digits."""
    network = small()
    if training == "plainly":
        fitting.fit(network, "digits", fitting.plainly(), epochs=30, seed=0, learning_rate=5e-3)
    else:
        fitting.certifiably(network, "digits", EPSILON, epochs=40, seed=0)
    test = images("digits", "test")
    x, y = to_float(test.images[:IMAGES]), test.labels[:IMAGES]
    ball = Ball(norm=norm, epsilon=epsilon)
    return Problem(network, x, y, 10, ball, *solved(network, x, y, epsilon, norm))


def saturated() -> Problem:
    """The plain one with logits so large that the cross-entropy has no gradient."""
    plain = relu("plainly")
    return plain._replace(model=After(plain.model, lambda logits: 1000 * logits))


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "linear-linf": partial(linear, "linf"),
    "linear-l2": partial(linear, "l2"),
    "linear-l1": linear_in_l1,
    "relu-plain-linf": partial(relu, "plainly"),
    "relu-certified-linf": partial(relu, "certifiably"),
    "relu-saturated-linf": saturated,
    "relu-plain-l1": partial(relu, "plainly", "l1", IN_L1),
}


def counted(problem: Problem, size: Size) -> Found:
    """What a protocol finds; an image that any attack or the follow-up turned is not robust."""
    evaluation = evaluate_by_protocol(
        size,
        problem.model,
        problem.x,
        problem.y,
        classes=problem.classes,
        ball=problem.ball,
        progress=lambda text: None,
    )
    turned = torch.stack([one.broken for one in evaluation.attacks.values()]).any(0)
    turned |= evaluation.broken_by_follow_up
    return Found(
        safe=int(problem.safe.sum()),
        turned=int((turned & problem.safe).sum()),
        broken=int(problem.broken.sum()),
        missed=int((evaluation.robust & problem.broken).sum()),
        attacks=len(evaluation.attacks),
    )
