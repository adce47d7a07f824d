"""Planted defects before and after remedies, and what they are measured against.

A defect that leaves the function alone is measured against the same attacks on the network without
it; one that changes the function, against the strongest attack that knows it (exact_attacks.py).
"""

from collections.abc import Iterable
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
from robustinfo.evaluation.remedies import _mounting
from robustinfo.evaluation.remedies._votes import outvoted, vote_counts
from robustinfo.evaluation.result import Result
from robustinfo.evaluation.sizes import SIZES
from robustinfo.evaluation.task import Task
from robustinfo.maths.balls import feasible
from tests.evaluation import exact_attacks
from tests.evaluation.networks import Honest, honest
from tests.evaluation.planted import BALL, PLANTED, Planted

SAME, CHANGED = 0.02, 0.03  # what remedies may leave more than the attacks that they are held to
OF_RANDOMISED = ("autoattack_rand", "eot")


class Row(NamedTuple):
    """Accuracies of n images: by the protocol, after remedies, and with what they are held to.

    reference: what is left of ``alone`` by the attacks that the remedies are held to.

    alone: what remedies leave by themselves of a randomised network's right majorities, since the
    protocol counts what a single answer gave away; of any other network, ``after``.
    """

    text: str
    n: int
    verdict: str
    before: float
    after: float
    alone: float
    reference: float
    allowed: float  # that ``after`` may exceed the reference by
    remedies: str
    seconds: float

    @property
    def excess(self) -> float:
        return self.alone - self.reference


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
    left = alone = found.robust if after is None else after.robust
    if planted.exact is None:
        reference = without_defect(n, (*(planted.attacks or ()),), folder)
    else:
        reference = known_exactly(planted, n)
    if after is not None and after.votes is not None:
        alone = by_themselves(planted, n, folder and folder / f"{name}_alone")
    reference = reference & alone
    return Row(
        planted.text, n, found.verdict, float(found.robust_accuracy), left.double().mean().item(),
        alone.double().mean().item(), reference.double().mean().item(),
        SAME if planted.exact is None else CHANGED, _broke(found),
        0.0 if after is None else after.seconds,
    )  # fmt: skip


def _broke(found: Result) -> str:
    if found.after_remedies is None:
        return "none was called for"
    made = found.after_remedies.remedies.items()
    return ", ".join(f"{name} {int(one.broken.sum())}" for name, one in made)


@cache
def without_defect(n: int, attacks: tuple[str, ...], folder: Path | None) -> Tensor:
    """What the protocol and all remedies for fixed answers leave of the honest network, (n,)."""
    place = folder and folder / f"honest_{len(attacks)}"
    plain = Planted("", lambda model: model, attacks=[*attacks] or None)
    robust = evaluated(plain, n, place, remedies=False).robust
    names = [name for name in _mounting.names() if name not in OF_RANDOMISED]
    return mounted(case(n), case(n).model, names, "asked", robust, place)


def by_themselves(planted: Planted, n: int, folder: Path | None) -> Tensor:
    """What the remedies for randomised answers leave of the images that the majority gets right."""
    images = case(n)
    defended = planted.network(images.model).eval()
    with seeded(images.x, Generator().manual_seed(0)):
        right = vote_counts(defended, images.x).argmax(1) == images.y
    return mounted(images, defended, OF_RANDOMISED, _mounting.RANDOM, right, folder)


def mounted(
    images: Honest,
    model: nn.Module,
    names: Iterable[str],
    by: str,
    robust: Tensor,
    folder: Path | None,
) -> Tensor:
    """What these remedies leave of robust images, (n,) bool."""
    finished = Finished(folder, {"n": len(images.y)})
    task = Task(GradientSafe(model).eval(), None, {}, {}, BALL, 0, finished)
    source = Batches(images.x, images.y, 512, torch.device("cpu"))
    called = {name: (by,) for name in names}
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
