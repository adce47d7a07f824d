"""Planted defects before and after remedies, and what they are measured against.

A defect that leaves the function alone is measured against the same attacks on the network without
it; one that changes the function, against the strongest attack that knows it (exact_attacks.py).
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from robustinfo.attacks._frozen import seeded
from robustinfo.attacks._gradient_safe import GradientSafe
from robustinfo.attacks._success import fooled
from robustinfo.evaluation.batches import Batches
from robustinfo.evaluation.by_protocol import evaluate_by_protocol
from robustinfo.evaluation.finished import Finished
from robustinfo.evaluation.progress import Tally
from robustinfo.evaluation.protocol import SIZES
from robustinfo.evaluation.remedies import _mounting
from robustinfo.evaluation.remedies._votes import outvoted, vote_counts
from robustinfo.evaluation.result import Result
from robustinfo.evaluation.task import Task
from robustinfo.evaluation.threats import Ball
from robustinfo.maths.balls import feasible
from tests.evaluation import exact_attacks
from tests.evaluation.defects import as_a_file, before, noisy, of_winners, sixteen_greys
from tests.evaluation.networks import Honest, honest

SAME, CHANGED = 0.02, 0.03  # what remedies may leave more than the attacks that they are held to
BALL = Ball(norm="linf", epsilon=exact_attacks.EPSILON)
OF_RANDOMISED = ("eot", "autoattack_rand")
SMALL_STEPS = [
    {"method": "pgd", "step_size": BALL.epsilon / 20, "steps": 20},
    {"method": "square", "queries": 200},
]
ON_CROSS_ENTROPY = ["fgsm", "pgd", "noise", "random_search", "square"]


class Rounded(torch.autograd.Function):
    """The identity, whose gradient is rounded to whole numbers."""

    @staticmethod
    def forward(ctx, t):
        return t.clone()

    @staticmethod
    def backward(ctx, gradient):
        return (1e-3 * gradient).round()


class Times(nn.Module):
    """Logits times a number."""

    def __init__(self, model: nn.Module, factor: float) -> None:
        super().__init__()
        self.model, self.factor = model, factor

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * self.model(x)


class Planted(NamedTuple):
    """A defect; the attack that knows it, or None where the function is left alone."""

    text: str
    network: Callable[[nn.Module], nn.Module]
    exact: Callable[..., Tensor] | None = None
    attacks: list | None = None  # instead of the protocol's
    behind: Callable[[nn.Module], nn.Module] = lambda model: model  # what the exact attack climbs


def through_numpy(x: Tensor) -> Tensor:
    return torch.from_numpy(x.numpy().copy())


PLANTED = {
    "scale": Planted(
        "10⁴ times the logits, attacked on the cross-entropy", lambda model: Times(model, 1e4),
        attacks=ON_CROSS_ENTROPY,
    ),
    "softmax": Planted(
        "10⁴ times the logits and a softmax",
        lambda model: nn.Sequential(Times(model, 1e4), nn.Softmax(1)),
    ),
    "detached": Planted("input detached", before(Tensor.detach)),
    "rounded": Planted("gradient rounded to whole numbers", before(Rounded.apply)),
    "numpy": Planted("input through numpy", before(through_numpy)),
    "greys": Planted(
        "input rounded to 16 greys", before(sixteen_greys), exact_attacks.on_sixteen_greys
    ),
    "noise": Planted("noise added to every input", before(noisy), exact_attacks.through_noise),
    "jpeg": Planted("JPEG of quality 50 in front", before(as_a_file), exact_attacks.through_jpeg),
    "winners": Planted(
        "k-winners-take-all, attacked with small steps", lambda model: of_winners(),
        exact_attacks.over_winners, SMALL_STEPS,
        behind=lambda model: of_winners(),
    ),
}  # fmt: skip


class Row(NamedTuple):
    """Accuracies of n images: by the protocol, after remedies, and under what they are held to."""

    text: str
    n: int
    verdict: str
    before: float
    after: float
    reference: float
    allowed: float  # that ``after`` may exceed the reference by
    remedies: str
    seconds: float

    @property
    def excess(self) -> float:
        return self.after - self.reference


@cache
def case(n: int) -> Honest:
    return honest("digits", "adversarial", 0, n)


def evaluated(planted: Planted, n: int, folder: Path | None, *, remedies: bool = True):
    """The smallest protocol on n images."""
    images = case(n)
    return evaluate_by_protocol(
        SIZES[0], planted.network(images.model).eval(), images.x, images.y, classes=10, ball=BALL,
        attacks=planted.attacks, remedies=remedies, finished=Finished(folder, {"n": n}),
        progress=lambda step: None,
    )  # fmt: skip


def row(name: str, n: int, folder: Path | None = None) -> Row:
    """A defect, measured. folder: where finished parts are kept."""
    planted = PLANTED[name]
    found = evaluated(planted, n, folder and folder / name)
    after = found.after_remedies
    left = found.robust if after is None else after.robust
    if planted.exact is None:
        reference = without_defect(n, (*(planted.attacks or ()),), folder)
    else:
        reference = known_exactly(planted, n)
    return Row(
        planted.text, n, found.verdict, float(found.robust_accuracy), left.double().mean().item(),
        reference.double().mean().item(), SAME if planted.exact is None else CHANGED,
        _broke(found), 0.0 if after is None else after.seconds,
    )  # fmt: skip


def _broke(found: Result) -> str:
    if found.after_remedies is None:
        return "none was called for"
    made = found.after_remedies.remedies.items()
    return ", ".join(f"{name} {int(one.broken.sum())}" for name, one in made)


@cache
def without_defect(n: int, attacks: tuple[str, ...], folder: Path | None) -> Tensor:
    """What the protocol and all remedies for fixed answers leave of the honest network, (n,)."""
    images = case(n)
    place = folder and folder / f"honest_{len(attacks)}"
    plain = Planted("", lambda model: model, attacks=[*attacks] or None)
    robust = evaluated(plain, n, place, remedies=False).robust
    network = GradientSafe(images.model).eval()
    task = Task(network, None, {}, {}, BALL, 0, Finished(place, {"n": n}))
    source = Batches(images.x, images.y, 512, torch.device("cpu"))
    called = {name: ("asked",) for name in _mounting.names() if name not in OF_RANDOMISED}
    nothing = Tally(lambda step: None, {}, 1.0)
    return _mounting.after_remedies(task, source, called, robust, nothing).robust


def known_exactly(planted: Planted, n: int) -> Tensor:
    """What the exact attack alone leaves, (n,) bool."""
    images = case(n)
    net, defended = planted.behind(images.model), planted.network(images.model).eval()
    random = planted.exact is exact_attacks.through_noise
    with seeded(images.x, Generator().manual_seed(0)), torch.no_grad():
        clean = vote_counts(defended, images.x) if random else defended(images.x)
        found = planted.exact(net, defended, images.x, images.y)
        turned = outvoted if random else fooled
        broken = turned(defended, found, images.y)
    broken &= feasible(images.x, found, BALL.norm, BALL.epsilon)
    return (clean.argmax(1) == images.y) & ~broken
