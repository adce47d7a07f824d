"""Evaluate one network in memory: attacks, diagnostics, and the verdict.

The pipeline does the same in stages, whose results are files, by the same functions: attacks are
verified in ``attacks``, combined in ``outcome``, followed up in ``follow_up``; diagnostics run in
``evidence``, and ``verdict`` judges.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping
from functools import partial
from math import prod

import torch
from torch import Tensor, nn

from robustinfo.attacks._gradient_safe import GradientSafe
from robustinfo.core.batches import ImageSource, memory_batch
from robustinfo.core.errors import UserError
from robustinfo.core.settings import Entry
from robustinfo.evaluation import outcome
from robustinfo.evaluation.attacks import Attack
from robustinfo.evaluation.batch import FOLLOWING, BatchResult, attack_batch, join
from robustinfo.evaluation.batches import Batches
from robustinfo.evaluation.cost import Cost
from robustinfo.evaluation.diagnosed import diagnosed, on_twin, possible
from robustinfo.evaluation.finished import Finished
from robustinfo.evaluation.first_look import OUTPUTS, first_look, spared
from robustinfo.evaluation.measured import attack_outcomes, measured
from robustinfo.evaluation.progress import Progress, Tally, work_of
from robustinfo.evaluation.remedies._mounting import after_remedies, called_for
from robustinfo.evaluation.result import Result
from robustinfo.evaluation.sources._guarded import guarded
from robustinfo.evaluation.task import NotMadeError, Task, crafted_again, twin_name
from robustinfo.evaluation.threats import Ball
from robustinfo.evaluation.verdict import judge

WITHOUT_GRADIENTS = ("noise", "black_box")  # roles of attacks that ask for answers alone
# Not asked of such a network; its twin, too, is attacked by answers alone, and withstands more.
OF_GRADIENTS = ("gradient_attacks", "no_gradient_fraction", "twin_robust_accuracy")


def evaluate(
    model: nn.Module,
    images: ImageSource,
    labels: Tensor,
    *,
    classes: int,
    ball: Ball,
    attacks: Mapping[str, Attack],
    diagnostics: Mapping[str, Entry],
    seed: int = 0,
    device: torch.device | str = "cpu",
    twin: nn.Module | None = None,
    abstains: Callable[[Tensor], Tensor] | None = None,
    most_diagnosed: int | None = None,
    batch_size: int | None = None,
    costs: Mapping[str, Cost] | None = None,
    only_to_hold: Collection[str] = (),
    remedies: bool | None = False,
    finished: Finished = Finished(),  # noqa: B008  # it is a constant
    progress: Progress = print,
) -> Result:
    """Evaluate a network in eval mode on the device, where it is.

    images: (m, c, h, w), uint8 or in [0, 1], anywhere.  labels: (n,), of the first n images, which
    are read batch by batch, and again without an attack that cannot run on one of them; the first
    most_diagnosed of them (None: all) twice more, for the diagnostics. attacks: in the ball. twin:
    the same network without the defence; the attacks that are not adaptive run on it, too, and
    their images are transferred to the network. abstains: images (n, c, h, w) -> (n,) bool; clean
    ones on which the network abstains are errors. batch_size: None: as memory allows. costs: of an
    image, by the name of an attack or diagnostic. only_to_hold: the attacks that are not made where
    clean images show that the evaluation is invalid (first_look.py). remedies: None: those that
    failed checks call for (remedies/); True: also of a network of answers alone; False: none.
    finished: where finished parts are kept and read.
    A network with the attribute ``answers_only`` is asked for answers alone, not for gradients.
    Raises UserError if no attack can run at all, with the reasons.
    """
    model, twin = guarded(model), None if twin is None else guarded(twin)
    black_box = any(getattr(part, "answers_only", False) for part in model.modules())
    if black_box:
        attacks = {n: a for n, a in attacks.items() if a.threat.role in WITHOUT_GRADIENTS or a.own}
    diagnostics = possible(diagnostics, black_box=black_box, abstains=abstains is not None)
    # Not adaptive attacks: the twin has no defence, and no term.
    plain = {name: one for name, one in attacks.items() if one.threat.role != "adaptive"}
    task = Task(
        GradientSafe(model).eval(),
        None if twin is None else GradientSafe(twin).eval(),
        attacks,
        {} if twin is None else plain,
        ball,
        seed,
        finished,
        abstains,
    )
    size = batch_size or memory_batch(prod(images.shape[1:]))
    source = Batches(images, labels, size, torch.device(device))
    few = len(labels[:most_diagnosed])
    tally = _tally(task, diagnostics, len(labels), few, costs or {}, progress)
    seen = first_look(task, model, source, diagnostics, few, tally)
    left_out = spared(seen, classes, task, only_to_hold)
    result, task, not_made, data_sha256 = _attack(task.without(left_out), source, tally)
    threat_of = task.threats()
    combined = outcome.outcome(result.success, threat_of, result.clean_correct, ball.norm)
    robust_before = combined.robust  # the twin has no follow-up, either
    combined = combined._replace(robust=result.followed.robust(robust_before))
    values = measured(task, result, combined, robust_before)
    broken = result.clean_correct & ~combined.robust
    rest = {name: one for name, one in diagnostics.items() if one["method"] != OUTPUTS}
    run = (source, rest, combined.resists_cross_entropy[:few], broken[:few], tally)
    values += seen + diagnosed(task, model, *run)
    if black_box:
        values = [one for one in values if one.quantity not in OF_GRADIENTS]
    conclusion, after = judge(values, classes), None
    # Of answers alone nothing fails as gradients do, and queries may cost: where they are wanted.
    wanted = bool(remedies) if black_box else remedies is not False
    called = called_for(conclusion.failed_checks(), answers_only=black_box) if wanted else {}
    if called:
        after = after_remedies(task, source, called, combined.robust, tally)
    return Result(
        conclusion=conclusion,
        threat=ball,
        labels=labels.cpu(),
        clean_correct=result.clean_correct.cpu(),
        robust=combined.robust.cpu(),
        attacks=attack_outcomes(task, result),
        broken_by_follow_up=(robust_before & ~combined.robust).cpu(),
        not_made=left_out | not_made,
        measurements=values,
        diagnosed=few,
        black_box=black_box,
        data_sha256=data_sha256,
        crafted=partial(crafted_again, task, source),
        classify=task.classify,
        finished=finished,
        after_remedies=after,
    )


def _attack(
    task: Task, source: Batches, tally: Tally
) -> tuple[BatchResult, Task, dict[str, str], str]:
    """The results of all batches, joined; the task without the attacks that cannot run, and why;
    the sha256 of the images and labels.
    """
    not_made: dict[str, str] = {}
    while task.attacks:
        sha, parts = hashlib.sha256(), []
        try:
            for batch, words in source:
                sha.update(batch.sha256.encode())
                parts.append(attack_batch(task, batch, tally=tally, images=words))
        except NotMadeError as error:  # on any batch: an attack runs on all images or on none
            tally.begin(f"again from the first image, without {', '.join(error.reasons)}")
            not_made |= error.reasons
            task = task.without(not_made)
            continue
        return join(parts), task, not_made, sha.hexdigest()
    reasons = "; ".join(f"{name}: {why}" for name, why in not_made.items())
    raise UserError(
        f"no attack could be made, so nothing can be said ({reasons or 'none is named'})"
    )


def _tally(
    task: Task,
    diagnostics: Mapping[str, Entry],
    images: int,
    diagnosed: int,
    costs: Mapping[str, Cost],
    progress: Progress,
) -> Tally:
    both = on_twin(task, diagnostics)
    of_twin = {twin_name(n): costs.get(n, Cost(1)) for n in (*task.twin_attacks, *both)}
    every = dict(costs) | of_twin
    attacks = [*task.attacks, *map(twin_name, task.twin_attacks), FOLLOWING]
    total = images * sum(work_of(every.get(name, Cost(1))) for name in attacks)
    asked = [*diagnostics, *map(twin_name, both)]
    total += diagnosed * sum(work_of(every.get(name, Cost(1))) for name in asked)
    return Tally(progress, every, total)
