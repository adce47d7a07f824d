"""Which remedies a verdict calls for, and the run of them on the images that are still robust.

Every success is verified: in the ball and in [0, 1], and misclassified by more than rounding; of a
randomised network, outvoted (_votes.py); what its attacks had broken before, by a single answer,
stays broken, so that remedies never raise an accuracy. The cheapest remedy comes first. What is
finished is kept as ``remedies/NAME/FIRST_IMAGE.safetensors``, with the adversarial images.
"""

import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor

from robustinfo.attacks._frozen import frozen, seeded
from robustinfo.attacks._success import fooled
from robustinfo.core.errors import UserError
from robustinfo.core.seeds import part_generator
from robustinfo.evaluation.batches import Batch, Batches
from robustinfo.evaluation.cost import Cost
from robustinfo.evaluation.progress import Tally, work_of
from robustinfo.evaluation.remedies import ANSWERS, GRADIENTS, Attempt, Subject
from robustinfo.evaluation.remedies._after import AfterRemedies, RemedyOutcome
from robustinfo.evaluation.remedies._votes import VOTES, outvoted
from robustinfo.evaluation.sizes import SIZES, Size
from robustinfo.evaluation.task import NotMadeError, Task
from robustinfo.evaluation.threats import Ball
from robustinfo.maths.balls import feasible

# The check that is not asked where answers alone are known: there no gradient attack can be made.
BLIND = "gradient_attacks"
RANDOM = "forwards_differ_fraction"  # the check that fails where answers are randomised


class _Run(NamedTuple):
    """What every remedy on every batch needs."""

    task: Task
    votes: int | None
    tally: Tally


def names() -> list[str]:
    """All remedies, the cheapest first, as they are made."""
    files = [file.stem for file in Path(__file__).parent.glob("[!_]*.py")]
    ball = Ball(norm="linf", epsilon=1.0)
    return sorted(files, key=lambda one: (work_of(remedy(one).cost(SIZES[0], ball)), one))


def remedy(name: str) -> Any:  # noqa: ANN401  # a module that is a Remedy
    """The file of a remedy."""
    return import_module(f"robustinfo.evaluation.remedies.{name}")


def bound(size: Size, ball: Ball, access: str = GRADIENTS) -> Cost:
    """The cost of an image that all remedies of an ACCESS are made on, and none breaks."""
    made = [one for one in map(remedy, names()) if access in one.ACCESS]
    return sum((one.cost(size, ball) for one in made), Cost())


def called_for(failed: Sequence[str], *, answers_only: bool = False) -> dict[str, tuple[str, ...]]:
    """The remedies that failed checks call for, in order, each with these checks.

    answers_only: whether nothing else is known of the network, which calls for remedies itself.
    """
    access = ANSWERS if answers_only else GRADIENTS
    failed = [BLIND, *failed] if answers_only else failed
    found = {
        name: tuple(one for one in failed if one in remedy(name).CALLED_BY) for name in names()
    }
    random = RANDOM in failed
    found = {n: by for n, by in found.items() if by and access in remedy(n).ACCESS}
    return {n: by for n, by in found.items() if remedy(n).RANDOMISED or not random}


def after_remedies(
    task: Task, source: Batches, called: Mapping[str, tuple[str, ...]], robust: Tensor, tally: Tally
) -> AfterRemedies:
    """What is left of the robust images, (n,) bool.  called: as ``called_for`` gives it."""
    random = any(RANDOM in reasons for reasons in called.values())
    run = _Run(task, VOTES if random else None, tally)
    left = robust.clone()
    broken = {name: torch.zeros_like(left) for name in called}
    seconds, not_made = dict.fromkeys(called, 0.0), dict.fromkeys(called, "")
    for batch, words in source:
        for name in called:
            if not left[batch.rows].any():
                break
            tally.begin(f"remedy {name}", words)
            try:
                success, took = _mounted(run, batch, name, left[batch.rows])
            except NotMadeError as error:
                not_made |= error.reasons
                continue
            broken[name][batch.rows] = success
            left[batch.rows] &= ~success
            seconds[name] += took
            tally.end(f"remedy {name}", len(success), words, left[batch.rows])
    outcomes = {
        name: RemedyOutcome(by, broken[name].cpu(), seconds[name], not_made[name])
        for name, by in called.items()
    }
    return AfterRemedies(left.cpu(), outcomes, run.votes)


def _reason(error: Exception) -> str:
    lines = str(error).splitlines() or [""]
    return lines[0] if isinstance(error, UserError) else f"{type(error).__name__}: {lines[0]}"


def _mounted(run: _Run, batch: Batch, name: str, left: Tensor) -> tuple[Tensor, float]:
    """The images of a batch that a remedy breaks, of those that are left, and its seconds.

    Raises NotMadeError where it cannot be made.
    """
    task = run.task

    def compute() -> dict[str, Tensor]:
        began = time.perf_counter()
        generator = part_generator(batch.x.device, task.seed, "remedy", name, batch.start)
        subject = Subject(task.network, task.ball, batch.x, task.attacks)
        try:
            with frozen(task.network):
                x_adv, success = _attempted(run, subject, batch, name, left, generator)
        except Exception as error:  # there is a verdict, and a user's network may fail in any way
            raise NotMadeError({name: _reason(error)}) from error
        took = torch.tensor([time.perf_counter() - began], dtype=torch.float64)
        return {"success": success, "x_adv": x_adv[success], "seconds": took}

    attacks = {label: attack.entry for label, attack in task.attacks.items()}
    of = [name, attacks, batch.sha256, left.nonzero().squeeze(1).tolist(), run.votes]
    part: Mapping[str, Tensor] = task.finished.tensors(
        f"remedies/{name}/{batch.start:06d}", of, compute, follows=True
    )
    return part["success"].to(left.device), part["seconds"].item()


def _attempted(
    run: _Run, subject: Subject, batch: Batch, name: str, left: Tensor, generator: Generator
) -> tuple[Tensor, Tensor]:
    """x_adv, like the batch's x, and where it is a success, (n,) bool."""
    x_adv, success = batch.x.clone(), torch.zeros_like(left)
    module = remedy(name)
    for attempt in module.attempts(subject, generator=generator):
        rows = (left & ~success).nonzero().squeeze(1)
        if not len(rows):
            break
        candidates, fools = _verified(run, attempt, batch, rows, generator)
        x_adv[rows[fools]], success[rows[fools]] = candidates[fools], True
        if module.UNTIL_FLAT and not fools.any():
            break
    return x_adv, success


def _verified(
    run: _Run, attempt: Attempt, batch: Batch, rows: Tensor, generator: Generator
) -> tuple[Tensor, Tensor]:
    """The candidates of an attempt, and which of them are successes, (m,) bool."""
    network, x, y = run.task.network, batch.x[rows], batch.y[rows]
    with seeded(x, generator):
        candidates = attempt(x, y).detach()
        if run.votes is None:
            fools = fooled(network, candidates, y)
        else:
            fools = outvoted(network, candidates, y, run.votes)
    ball = run.task.ball
    return candidates, fools & feasible(x, candidates, ball.norm, ball.epsilon)
