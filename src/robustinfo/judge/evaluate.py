"""Evaluate one network in memory: attacks, diagnostics, and the verdict.

The pipeline does the same in stages, whose results are files, by the same functions: attacks are
verified in ``attacks``, combined in ``outcome``, followed up in ``follow_up``; diagnostics run in
``evidence``, and ``verdict`` judges.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from robustinfo.attacks._gradient_safe import GradientSafe
from robustinfo.attacks._success import fooled
from robustinfo.core.batches import correct
from robustinfo.core.errors import UserError
from robustinfo.core.measurement import Measurement, fraction
from robustinfo.core.settings import Entry
from robustinfo.judge import follow_up, outcome, threats
from robustinfo.judge.attacks import Attack, AttackResults, Progress, run_attacks
from robustinfo.judge.evidence import run_diagnostics
from robustinfo.judge.protocol import Ball
from robustinfo.judge.sources._guarded import guarded
from robustinfo.judge.verdict import Verdict, judge
from robustinfo.maths.balls import feasible
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
    x: Tensor,
    y: Tensor,
    *,
    classes: int,
    ball: Ball,
    attacks: Mapping[str, Attack],
    diagnostics: Mapping[str, Entry],
    generator: Generator,
    twin: nn.Module | None = None,
    progress: Progress = print,
) -> Evaluation:
    """Evaluate a network in eval mode.  x: (n, c, h, w) in [0, 1].  y: (n,) labels.

    attacks: in the ball. twin: the same network without the defence; the attacks that are not
    adaptive run on it, too, and their images are transferred to the network. progress: called with
    the current work. Raises UserError if no attack can run at all, with the reasons.
    """
    model, twin = guarded(model), None if twin is None else guarded(twin)
    network = GradientSafe(model).eval()
    clean_correct = correct(network, x, y)
    results = run_attacks(network, x, y, attacks, generator, progress)
    if not results.success:
        reasons = "; ".join(f"{name}: {why}" for name, why in results.failed.items())
        raise UserError(
            f"no attack could be made, so nothing can be said ({reasons or 'none is named'})"
        )
    success, threat_of = (
        dict(results.success),
        {name: attacks[name].threat for name in results.success},
    )
    values: list[Measurement] = []
    twin_robust, images = None, dict(results.x_adv)
    if twin is not None:
        twin_robust, transferred = _attack_twin(
            network, GradientSafe(twin).eval(), x, y, clean_correct, attacks, generator, progress
        )
        for name, (turned, x_adv) in transferred.items():
            new = f"{name} from the twin"
            success[new], images[new] = turned, x_adv
            threat_of[new] = attacks[name].threat.transferred()
    combined = outcome.outcome(success, threat_of, clean_correct, ball.norm)
    progress("following up")
    entries = {name: one.entry for name, one in attacks.items() if name in results.success}
    triples = [(threat_of[name], success[name], images[name]) for name in threat_of]
    starts = follow_up.weaker_images(x, triples, ball.norm)
    in_ball = (ball.norm, ball.epsilon)
    followed = follow_up.follow_up(
        network, x, y, combined, in_ball, entries, threat_of, starts=starts, generator=generator
    )
    values += threats.attack_counts({name: threat_of[name] for name in results.success}, in_ball)
    robust_before = combined.robust  # the twin has no follow-up, either
    combined = combined._replace(robust=followed.robust(robust_before))
    broken_later = robust_before & ~combined.robust
    values += outcome.measurements(combined, followed.only) + follow_up.measurements(followed)
    values += _attack_errors(results, x, threat_of)
    if twin_robust is not None:
        values += _gain_over_twin(robust_before, twin_robust)
    resisting = {ball.norm: combined.resists_cross_entropy}
    values += run_diagnostics(
        model, x, y, diagnostics, resisting=resisting, generator=generator, progress=progress
    )
    clean = fraction("clean_accuracy", clean_correct)
    return Evaluation(
        judge([clean, *values], classes),
        ball,
        len(y),
        clean,
        fraction("robust_accuracy", combined.robust),
        {
            name: (clean_correct & ~broken).double().mean().item()
            for name, broken in success.items()
        },
        {
            name: broken.nonzero().flatten().tolist()
            for name, broken in (success | {FOLLOW_UP: broken_later}).items()
        },
        results.failed,
        values,
    )


def _attack_twin(
    network: nn.Module,
    twin: nn.Module,
    x: Tensor,
    y: Tensor,
    clean_correct: Tensor,
    attacks: Mapping[str, Attack],
    generator: Generator,
    progress: Progress,
) -> tuple[Tensor, dict[str, tuple[Tensor, Tensor]]]:
    """Where the twin is robust, (n,) bool; and per attack, transferred to the network, success
    (n,) bool and x_adv.
    """
    # Not adaptive attacks: the twin has no defence, and no term.
    plain = {name: one for name, one in attacks.items() if one.threat.role != "adaptive"}
    results = run_attacks(
        twin, x, y, plain, generator, lambda name: progress(f"{name} on the twin")
    )
    twin_robust = correct(twin, x, y)
    for broken in results.success.values():
        twin_robust &= ~broken
    examples = results.x_adv.items()
    return twin_robust, {
        name: (clean_correct & fooled(network, x_adv, y), x_adv) for name, x_adv in examples
    }


def _attack_errors(
    results: AttackResults, x: Tensor, threat_of: Mapping[str, threats.Threat]
) -> list[Measurement]:
    """Infeasible images, and falsely claimed successes of each attack."""
    infeasible = [
        ~feasible(x, x_adv, threat_of[name].norm, threat_of[name].epsilon)
        for name, x_adv in results.x_adv.items()
    ]
    values = [fraction("infeasible_fraction", torch.stack(infeasible).any(0))]
    for name, wrong in results.miscounted.items():
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
