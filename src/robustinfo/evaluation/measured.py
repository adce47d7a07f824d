"""What the attacks of an evaluation show: as measurements that checks read, and by attack."""

import torch
from torch import Tensor

from robustinfo.core.measurement import Measurement, fraction
from robustinfo.evaluation import follow_up, outcome, threats
from robustinfo.evaluation.batch import BatchResult
from robustinfo.evaluation.result import AttackOutcome
from robustinfo.evaluation.task import Task
from robustinfo.maths.statistics import paired_difference


def measured(
    task: Task, result: BatchResult, combined: outcome.Outcome, robust_before: Tensor
) -> list[Measurement]:
    """The measurements of all attacks. robust_before: (n,) bool, before the follow-up."""
    ball, threat_of = task.ball, task.threats()
    values = [fraction("clean_accuracy", result.clean_correct)]
    values += threats.attack_counts(
        {name: threat_of[name] for name in task.attacks}, (ball.norm, ball.epsilon)
    )
    values += outcome.measurements(combined, result.followed.only)
    values += follow_up.measurements(result.followed)
    # The mistakes of the user's own attacks are no mistakes of this evaluation.
    ours = [name for name, attack in task.attacks.items() if not attack.own]
    infeasible = [result.infeasible[name] for name in ours]
    if infeasible:
        values.append(fraction("infeasible_fraction", torch.stack(infeasible).any(0)))
    for name in ours:
        wrong = fraction("miscounted_fraction", result.miscounted[name])
        values.append(wrong._replace(entry=name))
    if result.twin_robust is not None:
        values += _gain_over_twin(robust_before, result.twin_robust)
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


def attack_outcomes(task: Task, result: BatchResult) -> dict[str, AttackOutcome]:
    """By attack: on the network, and of the twin's images on the network."""
    threat_of, nothing = task.threats(), torch.zeros_like(result.clean_correct)
    return {
        name: AttackOutcome(
            entry=task.attacks[name].entry if name in task.attacks else {},
            role=threat_of[name].role,
            left=(result.clean_correct & ~broken).cpu(),
            broken=broken.cpu(),
            outside=result.infeasible.get(name, nothing).cpu(),
            seconds=result.seconds[name].sum().item() if name in result.seconds else None,
        )
        for name, broken in result.success.items()
    }
