"""Evaluate one network in memory: attacks, diagnostics, and the verdict.

The pipeline does the same in stages, whose results are files, by the same functions: attacks are
verified in ``attacks``, combined in ``outcome``, followed up in ``follow_up``; diagnostics run in
``evidence``, and ``verdict`` judges.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from math import prod
from typing import NamedTuple

from torch import Generator, Tensor, nn

from robustinfo.attacks._gradient_safe import GradientSafe
from robustinfo.core.batches import ImageSource, memory_batch, to_float
from robustinfo.core.errors import UserError
from robustinfo.core.measurement import Measurement, fraction
from robustinfo.core.settings import Entry
from robustinfo.evaluation import follow_up, outcome, threats
from robustinfo.evaluation.attacks import Attack, Progress
from robustinfo.evaluation.batch import BatchResult, NotMadeError, Task, attack_batch, join
from robustinfo.evaluation.evidence import run_diagnostics
from robustinfo.evaluation.protocol import Ball
from robustinfo.evaluation.sources._guarded import guarded
from robustinfo.evaluation.verdict import Verdict, judge
from robustinfo.maths.statistics import paired_difference

FOLLOW_UP = "pgd doubled"  # the name of the follow-up among the attacks


class Evaluation(NamedTuple):
    """The verdict on one network, and its evidence."""

    verdict: Verdict
    ball: Ball
    n: int
    clean: Measurement  # accuracy
    robust: Measurement  # correct when clean and under every attack, of all images
    accuracies: dict[str, float]  # under each attack by itself
    broken: dict[str, list[int]]  # the images that each attack broke, by their index in x
    not_made: dict[str, str]  # the attacks that could not run, and why
    measurements: list[Measurement]


def evaluate(
    model: nn.Module,
    images: ImageSource,
    labels: Tensor,
    *,
    classes: int,
    ball: Ball,
    attacks: Mapping[str, Attack],
    diagnostics: Mapping[str, Entry],
    generator: Generator,
    twin: nn.Module | None = None,
    most_diagnosed: int | None = None,
    progress: Progress = print,
) -> Evaluation:
    """Evaluate a network in eval mode, on the generator's device.

    images: (m, c, h, w), uint8 or in [0, 1], anywhere.  labels: (n,), of the first n images, which
    are read batch by batch, and again without an attack that cannot run on one of them; the first
    most_diagnosed of them (None: all) once more, for the diagnostics. attacks: in the ball. twin:
    the same network without the defence; the attacks that are not adaptive run on it, too, and
    their images are transferred to the network. progress: called with the current work. Raises
    UserError if no attack can run at all, with the reasons.
    """
    model, twin = guarded(model), None if twin is None else guarded(twin)
    # Not adaptive attacks: the twin has no defence, and no term.
    plain = {name: one for name, one in attacks.items() if one.threat.role != "adaptive"}
    task = Task(
        GradientSafe(model).eval(),
        None if twin is None else GradientSafe(twin).eval(),
        attacks,
        {} if twin is None else plain,
        ball,
    )
    result, task, not_made = _attack(task, images, labels, generator, progress)
    threat_of, in_ball = task.threats(), (ball.norm, ball.epsilon)
    combined = outcome.outcome(result.success, threat_of, result.clean_correct, ball.norm)
    robust_before = combined.robust  # the twin has no follow-up, either
    combined = combined._replace(robust=result.followed.robust(robust_before))
    broken_later = robust_before & ~combined.robust
    values = threats.attack_counts({name: threat_of[name] for name in task.attacks}, in_ball)
    values += outcome.measurements(combined, result.followed.only)
    values += follow_up.measurements(result.followed)
    values += _attack_errors(result)
    if result.twin_robust is not None:
        values += _gain_over_twin(robust_before, result.twin_robust)
    y = labels[:most_diagnosed].to(generator.device)
    values += run_diagnostics(
        model, to_float(images[: len(y)], generator.device), y, diagnostics,
        resisting={ball.norm: combined.resists_cross_entropy[: len(y)]},
        generator=generator, progress=progress,
    )  # fmt: skip
    clean = fraction("clean_accuracy", result.clean_correct)
    return Evaluation(
        judge([clean, *values], classes),
        ball,
        len(labels),
        clean,
        fraction("robust_accuracy", combined.robust),
        {
            name: (result.clean_correct & ~broken).double().mean().item()
            for name, broken in result.success.items()
        },
        {
            name: broken.nonzero().flatten().tolist()
            for name, broken in (result.success | {FOLLOW_UP: broken_later}).items()
        },
        not_made,
        values,
    )


def _attack(
    task: Task, images: ImageSource, labels: Tensor, generator: Generator, progress: Progress
) -> tuple[BatchResult, Task, dict[str, str]]:
    """The results of all batches, joined; the task without the attacks that cannot run, and why."""
    not_made: dict[str, str] = {}
    while task.attacks:
        try:
            parts = list(_batch_results(task, images, labels, generator, progress))
        except NotMadeError as error:  # on any batch: an attack runs on all images or on none
            progress(f"again from the first image, without {', '.join(error.reasons)}")
            not_made |= error.reasons
            task = task.without(not_made)
            continue
        return join(parts), task, not_made
    reasons = "; ".join(f"{name}: {why}" for name, why in not_made.items())
    raise UserError(
        f"no attack could be made, so nothing can be said ({reasons or 'none is named'})"
    )


def _batch_results(
    task: Task, images: ImageSource, labels: Tensor, generator: Generator, progress: Progress
) -> Iterator[BatchResult]:
    size, n, device = memory_batch(prod(images.shape[1:])), len(labels), generator.device
    for start in range(0, n, size):
        stop = min(start + size, n)
        suffix = f", images {start + 1:,} to {stop:,} of {n:,}" if n > size else ""
        x, y = to_float(images[start:stop], device), labels[start:stop].to(device)
        yield attack_batch(
            task, x, y, generator=generator, progress=partial(_say, progress, suffix)
        )


def _say(progress: Progress, suffix: str, work: str) -> None:
    progress(work + suffix)


def _attack_errors(result: BatchResult) -> list[Measurement]:
    """Infeasible images, and falsely claimed successes of each attack."""
    values = [fraction("infeasible_fraction", result.infeasible)]
    for name, wrong in result.miscounted.items():
        values.append(fraction("miscounted_fraction", wrong)._replace(entry=name))
    return values


def _gain_over_twin(robust: Tensor, twin_robust: Tensor) -> list[Measurement]:
    """Robust accuracy of the twin, and the gain over it, paired by image."""
    won, lost, n = (
        int((robust & ~twin_robust).sum()),
        int((twin_robust & ~robust).sum()),
        len(twin_robust),
    )
    low, high = paired_difference(won, lost, n)
    gain = Measurement("gain_over_twin", (won - lost) / n, "own", n, low, high)
    return [fraction("twin_robust_accuracy", twin_robust), gain]
