"""One network, put through attacks and diagnostics, and judged: in memory, from images to verdict.

The pipeline does the same in stages, whose results are files, by the same functions: attacks are
audited in ``attacked``, combined in ``threats``, followed up in ``follow_up``, diagnosed in
``evidence`` and judged in ``verdict``.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from math import prod
from typing import NamedTuple

from torch import Generator, Tensor, nn

from robustinfo.attacks._gradient_safe import GradientSafe
from robustinfo.core.batches import Images, at_once, floats
from robustinfo.core.errors import UserError
from robustinfo.core.measurement import Measurement, fraction
from robustinfo.core.settings import Entry
from robustinfo.judge import batch, follow_up, outcome, threats
from robustinfo.judge.attacked import Attack
from robustinfo.judge.batch import Batch, Note, Task
from robustinfo.judge.evidence import diagnosed
from robustinfo.judge.protocol import Ball
from robustinfo.judge.sources._guarded import guarded
from robustinfo.judge.verdict import Verdict, judge
from robustinfo.maths.statistics import paired_difference

FOLLOW_UP = "pgd doubled"  # beside the attacks, what comes after them


class Evaluation(NamedTuple):
    """The verdict on one network and what it rests on."""

    verdict: Verdict
    ball: Ball
    n: int
    clean: Measurement  # accuracy
    robust: Measurement  # correct when clean and under every attack, of all images
    accuracies: dict[str, float]  # what each attack leaves by itself
    broken: dict[str, list[int]]  # the images that each attack broke, by their place in x
    not_made: dict[str, str]  # the attacks that could not be made, and why
    measurements: list[Measurement]


def evaluate(
    model: nn.Module,
    images: Images,
    labels: Tensor,
    *,
    classes: int,
    ball: Ball,
    attacks: Mapping[str, Attack],
    diagnostics: Mapping[str, Entry],
    generator: Generator,
    twin: nn.Module | None = None,
    most_diagnosed: int | None = None,
    note: Note = print,
) -> Evaluation:
    """The verdict on a network in eval mode, on the generator's device.

    images: (m, c, h, w), uint8 or in [0, 1], anywhere. labels: (n,), of the first n images, which
    are read once, batch by batch; the first most_diagnosed of them (None: all) once more, for the
    diagnostics. attacks: in the ball. twin: the same network without the defence; it is attacked
    alike, but for what climbs a defence's term, and what broke it is tried on the network. note: is
    told what is being done. Raises UserError if no attack can be made at all, with the reasons.
    """
    where = generator.device
    model, twin = guarded(model), None if twin is None else guarded(twin)
    # Not those that climb the defence's own term: the twin has none.
    plain = {name: one for name, one in attacks.items() if one.threat.role != "adaptive"}
    task = Task(
        GradientSafe(model).eval(),
        None if twin is None else GradientSafe(twin).eval(),
        attacks,
        {} if twin is None else plain,
        ball,
    )
    every, task, not_made = _attacked(task, images, labels, generator, note)
    made, within = task.threats(), (ball.norm, ball.epsilon)
    found = outcome.outcome(every.success, made, every.right, ball.norm)
    before = found.robust  # nothing follows up what the twin withstands, either
    found = found._replace(robust=every.after.robust(before))
    fell = before & ~found.robust
    values = threats.counts({name: made[name] for name in task.attacks}, within)
    values += outcome.measured(found, every.after.only) + follow_up.measured(every.after)
    values += _audited(every)
    if every.twin_robust is not None:
        values += _beside(before, every.twin_robust)
    y = labels[:most_diagnosed].to(where)
    x, resisting = floats(images[: len(y)], where), found.resists_cross_entropy[: len(y)]
    values += diagnosed(
        model, x, y, diagnostics, resisting={ball.norm: resisting}, generator=generator, note=note
    )
    clean = fraction("clean_accuracy", every.right)
    return Evaluation(
        judge([clean, *values], classes),
        ball,
        len(labels),
        clean,
        fraction("robust_accuracy", found.robust),
        {name: (every.right & ~broken).double().mean().item()
         for name, broken in every.success.items()},
        {
            name: broken.nonzero().flatten().tolist()
            for name, broken in (every.success | {FOLLOW_UP: fell}).items()
        },
        not_made,
        values,
    )  # fmt: skip


def _attacked(
    task: Task, images: Images, labels: Tensor, generator: Generator, note: Note
) -> tuple[Batch, Task, dict[str, str]]:
    """Every batch, joined; the task without the attacks that one of them could not be put to."""
    not_made: dict[str, str] = {}
    while task.attacks:
        try:
            parts = list(_batches(task, images, labels, generator, note))
        except batch.NotMadeError as error:  # of any batch: an attack is made on all or on none
            not_made |= error.reasons
            task = task.without(not_made)
            continue
        return batch.joined(parts), task, not_made
    reasons = "; ".join(f"{name}: {why}" for name, why in not_made.items())
    raise UserError(
        f"no attack could be made, so nothing can be said ({reasons or 'none is named'})"
    )


def _batches(
    task: Task, images: Images, labels: Tensor, generator: Generator, note: Note
) -> Iterator[Batch]:
    size, n, where = at_once(prod(images.shape[1:])), len(labels), generator.device
    for start in range(0, n, size):
        part = slice(start, min(start + size, n))
        about = f", images {part.start + 1:,} to {part.stop:,} of {n:,}" if n > size else ""
        x, y = floats(images[part], where), labels[part].to(where)
        yield batch.evaluated(task, x, y, generator=generator, note=partial(_noted, note, about))


def _noted(note: Note, about: str, name: str) -> None:
    note(name + about)


def _audited(every: Batch) -> list[Measurement]:
    """What the attacks themselves did wrong."""
    values = [fraction("infeasible_fraction", every.infeasible)]
    for name, wrong in every.miscounted.items():
        values.append(fraction("miscounted_fraction", wrong)._replace(entry=name))
    return values


def _beside(robust: Tensor, left: Tensor) -> list[Measurement]:
    """Beside the twin, image by image."""
    won, lost, n = int((robust & ~left).sum()), int((left & ~robust).sum()), len(left)
    low, high = paired_difference(won, lost, n)
    gain = Measurement("gain_over_twin", (won - lost) / n, "own", n, low, high)
    return [fraction("twin_robust_accuracy", left), gain]
