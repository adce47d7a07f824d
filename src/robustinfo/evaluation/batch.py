"""Attack one batch of images with every attack, on the network and on its twin.

An evaluation goes through the images batch by batch: memory holds one batch and its
adversarial images of one attack, whatever the number of images and of attacks.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

from robustinfo.attacks._frozen import seeded
from robustinfo.attacks._success import fooled
from robustinfo.core.errors import UserError
from robustinfo.core.seeds import part_generator
from robustinfo.evaluation import follow_up, outcome
from robustinfo.evaluation.attacks import AttackResult
from robustinfo.evaluation.batches import sha256
from robustinfo.evaluation.progress import Tally
from robustinfo.evaluation.task import (
    Batch,
    NotMadeError,
    Task,
    clean_correct,
    crafted,
    transfer_name,
    twin_name,
)

T = TypeVar("T")
FOLLOWING = "following up"


class BatchResult(NamedTuple):
    """Per image, (n,) bool each: of one batch, or of all, joined."""

    clean_correct: Tensor
    success: dict[str, Tensor]  # by attack
    miscounted: dict[str, Tensor]  # by attack on the network: falsely claimed successes
    infeasible: dict[str, Tensor]  # by attack on the network: outside its ball, or [0, 1]
    seconds: dict[str, Tensor]  # (batches,) float64, by attack on the network
    twin_robust: Tensor | None
    followed: follow_up.FollowUp


def attack_batch(task: Task, batch: Batch, *, tally: Tally, images: str = "") -> BatchResult:
    """Attack a batch. images: which they are, in words. Raises NotMadeError."""
    x, y, threats = batch.x, batch.y, task.threats()
    correct_when_clean = clean_correct(task, batch)
    success, starts = dict[str, Tensor](), x.clone()
    results, seconds = dict[str, AttackResult](), dict[str, Tensor]()
    runs = _Runs(task, batch, tally, images)
    for name, result, took in runs.results(correct_when_clean):
        results[name], success[name] = result._replace(x_adv=x[:0]), result.success
        seconds[name] = took
        follow_up.keep_weaker(starts, threats[name], result.success, result.x_adv, task.ball.norm)
    twin_robust = None
    if task.twin is not None:
        twin_robust = clean_correct(task, batch, on_twin=True)
        for name, result, _ in runs.results(twin_robust.clone(), on_twin=True):
            twin_robust &= ~result.success
            name = transfer_name(name)
            with seeded(x, part_generator(x.device, task.seed, name, batch.start)):
                success[name] = correct_when_clean & fooled(task.network, result.x_adv, y)
            follow_up.keep_weaker(
                starts, threats[name], success[name], result.x_adv, task.ball.norm
            )
    tally.begin(FOLLOWING, images)
    followed = _follow_up(task, batch, success, correct_when_clean, starts)
    tally.end(FOLLOWING, len(y), images)
    return BatchResult(
        correct_when_clean,
        success,
        {name: one.miscounted for name, one in results.items()},
        {name: one.infeasible for name, one in results.items()},
        seconds,
        twin_robust,
        followed,
    )


def _follow_up(
    task: Task, batch: Batch, success: dict[str, Tensor], clean_correct: Tensor, starts: Tensor
) -> follow_up.FollowUp:
    """The follow-up of a batch, made or read."""
    threats, ball = task.threats(), task.ball
    entries = {name: attack.entry for name, attack in task.attacks.items()}

    def compute() -> dict[str, Tensor]:
        combined = outcome.outcome(success, threats, clean_correct, ball.norm)
        generator = part_generator(batch.x.device, task.seed, FOLLOWING, batch.start)
        with seeded(batch.x, generator):
            followed = follow_up.follow_up(
                task.network, batch.x, batch.y, combined, (ball.norm, ball.epsilon), entries,
                threats, starts=starts, generator=generator,
            )  # fmt: skip
        return follow_up.as_tensors(followed)

    broken = {name: sha256(mask) for name, mask in sorted(success.items())}
    of = [entries, broken, sha256(starts), batch.sha256]
    part = task.finished.tensors(f"follow_up/{batch.start:06d}", of, compute, follows=True)
    return follow_up.from_tensors({name: one.to(batch.x.device) for name, one in part.items()})


class _Runs(NamedTuple):
    """Runs attacks on a batch, one after the other, up to one that cannot run."""

    task: Task
    batch: Batch
    tally: Tally
    images: str

    def results(
        self, clean_correct: Tensor, *, on_twin: bool = False
    ) -> Iterator[tuple[str, AttackResult, Tensor]]:
        """Name, result and seconds of every attack that runs, on the network or on its twin."""
        attacks = self.task.twin_attacks if on_twin else self.task.attacks
        for name, attack in attacks.items():
            label = twin_name(name) if on_twin else name
            self.tally.begin(label, self.images)
            try:
                result, seconds = crafted(
                    self.task, self.batch, label, attack, clean_correct, on_twin=on_twin
                )
            except NotMadeError as error:
                if not attack.reusable:  # it is the user's, or climbs the user's loss
                    raise UserError(f"your attack cannot be made: {error}") from error
                raise
            left = clean_correct & ~result.success
            self.tally.end(label, len(left), self.images, left)
            yield name, result, seconds


def join(parts: Sequence[T]) -> T:
    """Batch results as one: tensors end to end, within whatever tuples and dictionaries."""
    first: Any = parts[0]
    if isinstance(first, Tensor):
        return torch.cat([*parts])  # type: ignore[return-value, list-item]
    if isinstance(first, dict):
        return {key: join([part[key] for part in parts]) for key in first}  # type: ignore
    return first if first is None else type(first)(*map(join, zip(*parts, strict=True)))  # type: ignore
