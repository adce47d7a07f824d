"""Attack one batch of images with every attack, on the network and on its twin.

An evaluation goes through the images batch by batch: memory holds one batch and its
adversarial images of one attack, whatever the number of images and of attacks.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Generator, Tensor, nn

from robustinfo.attacks._success import fooled
from robustinfo.core.batches import correct
from robustinfo.core.errors import UserError
from robustinfo.evaluation import follow_up, outcome
from robustinfo.evaluation.attacks import Attack, AttackResult, Progress, run_attack
from robustinfo.evaluation.protocol import Ball
from robustinfo.evaluation.threats import Threat
from robustinfo.maths.balls import feasible

T = TypeVar("T")


class Task(NamedTuple):
    """What every batch goes through."""

    network: nn.Module
    twin: nn.Module | None  # the same network without the defence
    attacks: Mapping[str, Attack]
    twin_attacks: Mapping[str, Attack]
    ball: Ball

    def threats(self) -> dict[str, Threat]:
        """The threat of every attack in ``BatchResult.success``."""
        transfers = {transfer_name(n): a.threat.transferred() for n, a in self.twin_attacks.items()}
        return {name: attack.threat for name, attack in self.attacks.items()} | transfers

    def without(self, not_made: Mapping[str, str]) -> "Task":
        """The same without the attacks that cannot run, on the network or on its twin."""

        def kept(attacks: Mapping[str, Attack]) -> dict[str, Attack]:
            both = {n: {n, twin_name(n)} for n in attacks}
            return {n: a for n, a in attacks.items() if both[n].isdisjoint(not_made)}

        return self._replace(attacks=kept(self.attacks), twin_attacks=kept(self.twin_attacks))


class BatchResult(NamedTuple):
    """Per image, (n,) bool each: of one batch, or of all, joined."""

    clean_correct: Tensor
    success: dict[str, Tensor]  # by attack
    miscounted: dict[str, Tensor]  # by attack on the network: falsely claimed successes
    infeasible: Tensor  # an attack on the network left its ball, or [0, 1]
    twin_robust: Tensor | None
    followed: follow_up.FollowUp


class NotMadeError(UserError):
    """The attacks that cannot run on this network, and why."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        """reasons: by the attack's name."""
        super().__init__("; ".join(f"{name}: {why}" for name, why in reasons.items()))
        self.reasons = dict(reasons)


def transfer_name(attack: str) -> str:
    """The name of an attack's images of the twin, tried on the network."""
    return f"{attack} from the twin"


def twin_name(attack: str) -> str:
    """The name of an attack on the twin."""
    return f"{attack} on the twin"


def attack_batch(
    task: Task, x: Tensor, y: Tensor, *, generator: Generator, progress: Progress
) -> BatchResult:
    """Attack a batch.  x: (n, c, h, w) in [0, 1].  y: (n,) labels. Raises NotMadeError."""
    network, ball, threats = task.network, task.ball, task.threats()
    clean_correct = correct(network, x, y)
    success, miscounted, not_made = dict[str, Tensor](), dict[str, Tensor](), dict[str, str]()
    infeasible, starts = torch.zeros_like(clean_correct), x.clone()

    def keep(name: str, broken: Tensor, x_adv: Tensor) -> None:
        success[name] = broken
        follow_up.keep_weaker(starts, threats[name], broken, x_adv, ball.norm)

    runs = _Runs(x, y, generator, progress, not_made)
    for name, threat, result in runs.results(network, clean_correct, task.attacks, str):
        miscounted[name] = result.miscounted
        infeasible |= ~feasible(x, result.x_adv, threat.norm, threat.epsilon)
        keep(name, result.success, result.x_adv)
    twin_robust = None
    if task.twin is not None:
        twin_robust = correct(task.twin, x, y)
        twin_results = runs.results(task.twin, twin_robust.clone(), task.twin_attacks, twin_name)
        for name, _, result in twin_results:
            twin_robust &= ~result.success
            broken = clean_correct & fooled(network, result.x_adv, y)
            keep(transfer_name(name), broken, result.x_adv)
    if not_made:
        raise NotMadeError(not_made)
    progress("following up")
    combined = outcome.outcome(success, threats, clean_correct, ball.norm)
    entries = {name: attack.entry for name, attack in task.attacks.items()}
    followed = follow_up.follow_up(
        network, x, y, combined, (ball.norm, ball.epsilon), entries, threats,
        starts=starts, generator=generator,
    )  # fmt: skip
    return BatchResult(clean_correct, success, miscounted, infeasible, twin_robust, followed)


class _Runs(NamedTuple):
    """Runs attacks on a batch, one after the other; ``not_made`` collects those that cannot."""

    x: Tensor
    y: Tensor
    generator: Generator
    progress: Progress
    not_made: dict[str, str]

    def results(
        self,
        model: nn.Module,
        clean_correct: Tensor,
        attacks: Mapping[str, Attack],
        label: Callable[[str], str],
    ) -> Iterator[tuple[str, Threat, AttackResult]]:
        """Name, threat and result of every attack that runs; label: of its name, for people."""
        for name, attack in attacks.items():
            self.progress(label(name))
            try:
                result = run_attack(
                    model, self.x, self.y, clean_correct, attack, generator=self.generator
                )
            except UserError as error:
                self.not_made[label(name)] = str(error)
                continue
            yield name, attack.threat, result


def join(parts: Sequence[T]) -> T:
    """Batch results as one: tensors end to end, within whatever tuples and dictionaries."""
    first: Any = parts[0]
    if isinstance(first, Tensor):
        return torch.cat([*parts])  # type: ignore[return-value, list-item]
    if isinstance(first, dict):
        return {key: join([part[key] for part in parts]) for key in first}  # type: ignore
    return first if first is None else type(first)(*map(join, zip(*parts, strict=True)))  # type: ignore
