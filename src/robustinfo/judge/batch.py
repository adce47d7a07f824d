"""One batch of images under every attack. Of an adversarial image what is asked of it stays.

Whoever evaluates goes through the images once, batch by batch, so that memory holds one batch and
its examples of one attack, whatever the number of images and attacks.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Generator, Tensor, nn

from robustinfo.attacks._success import fooled
from robustinfo.core.batches import correct
from robustinfo.core.errors import UserError
from robustinfo.judge import follow_up, outcome
from robustinfo.judge.attacked import Attack, Attacked, attacked
from robustinfo.judge.protocol import Ball
from robustinfo.judge.threats import Threat
from robustinfo.maths.balls import feasible

T = TypeVar("T")
Note = Callable[[str], object]  # is told what is being done


class Task(NamedTuple):
    """What is asked of every batch."""

    network: nn.Module
    twin: nn.Module | None  # the same network without the defence
    attacks: Mapping[str, Attack]
    attacks_on_twin: Mapping[str, Attack]
    ball: Ball

    def threats(self) -> dict[str, Threat]:
        """By attack, as in ``Batch.success``: on the network, then transferred from the twin."""
        own = {name: one.threat for name, one in self.attacks.items()}
        return own | {
            transferred(name): one.threat.transferred()
            for name, one in self.attacks_on_twin.items()
        }

    def without(self, not_made: Mapping[str, str]) -> "Task":
        """The same without the attacks that could not be made."""
        return self._replace(
            attacks={n: one for n, one in self.attacks.items() if n not in not_made},
            attacks_on_twin={
                n: one for n, one in self.attacks_on_twin.items() if on_twin(n) not in not_made
            },
        )


class Batch(NamedTuple):
    """Per image, (n,) bool each: of one batch, or of all, joined."""

    right: Tensor  # correct when clean
    success: dict[str, Tensor]  # by attack
    miscounted: dict[str, Tensor]  # by attack on the network
    infeasible: Tensor  # some attack on the network left its ball, or [0, 1]
    twin_robust: Tensor | None
    after: follow_up.FollowUp


class NotMadeError(UserError):
    """Attacks that cannot be made on this network, by name, and why."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        """reasons: by the attack's name."""
        super().__init__("; ".join(f"{name}: {why}" for name, why in reasons.items()))
        self.reasons = dict(reasons)


def transferred(name: str) -> str:
    """What an attack's examples of the twin are called, tried on the network."""
    return f"{name} from the twin"


def on_twin(name: str) -> str:
    """What an attack on the twin is called."""
    return f"{name} on the twin"


def evaluated(task: Task, x: Tensor, y: Tensor, *, generator: Generator, note: Note) -> Batch:
    """x: (n, c, h, w) in [0, 1].  y: (n,) labels. Raises NotMadeError."""
    network, ball, threats = task.network, task.ball, task.threats()
    right = correct(network, x, y)
    success, miscounted, not_made = dict[str, Tensor](), dict[str, Tensor](), dict[str, str]()
    infeasible, starts = torch.zeros_like(right), x.clone()

    def keep(name: str, broken: Tensor, x_adv: Tensor) -> None:
        success[name] = broken
        follow_up.keep_weaker(starts, threats[name], broken, x_adv, ball.norm)

    attacker = _Attacker(x, y, generator, note, not_made)
    for name, threat, own in attacker.each(network, right, task.attacks, str):
        miscounted[name] = own.miscounted
        infeasible |= ~feasible(x, own.x_adv, threat.norm, threat.epsilon)
        keep(name, own.success, own.x_adv)
    twin_robust = None
    if task.twin is not None:
        twin_robust = correct(task.twin, x, y)
        of_twin = attacker.each(task.twin, twin_robust.clone(), task.attacks_on_twin, on_twin)
        for name, _, other in of_twin:
            twin_robust &= ~other.success
            keep(transferred(name), right & fooled(network, other.x_adv, y), other.x_adv)
    if not_made:
        raise NotMadeError(not_made)
    note("following up")
    after = follow_up.follow_up(
        network, x, y, outcome.outcome(success, threats, right, ball.norm),
        (ball.norm, ball.epsilon), {name: one.entry for name, one in task.attacks.items()}, threats,
        starts=starts, generator=generator,
    )  # fmt: skip
    return Batch(right, success, miscounted, infeasible, twin_robust, after)


class _Attacker(NamedTuple):
    """Puts attack after attack to a batch; ``not_made`` learns which ones cannot be."""

    x: Tensor
    y: Tensor
    generator: Generator
    note: Note
    not_made: dict[str, str]

    def each(
        self,
        model: nn.Module,
        right: Tensor,
        attacks: Mapping[str, Attack],
        called: Callable[[str], str],
    ) -> Iterator[tuple[str, Threat, Attacked]]:
        """What every attack makes of the images; right: (n,) bool, correct when clean."""
        for name, attack in attacks.items():
            self.note(called(name))
            try:
                made = attacked(model, self.x, self.y, right, attack, generator=self.generator)
            except UserError as error:
                self.not_made[called(name)] = str(error)
                continue
            yield name, attack.threat, made


def joined(parts: Sequence[T]) -> T:
    """Batches as one: tensors end to end, whatever tuples and dictionaries they stand in."""
    first: Any = parts[0]
    if isinstance(first, Tensor):
        return torch.cat([*parts])  # type: ignore[return-value, list-item]
    if isinstance(first, dict):
        return {key: joined([part[key] for part in parts]) for key in first}  # type: ignore
    return first if first is None else type(first)(*map(joined, zip(*parts, strict=True)))  # type: ignore
