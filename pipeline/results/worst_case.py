"""Per image and threat model, over all attacks of a run: what is robust, and what follows up."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd
import torch
from torch import Generator, Tensor, nn

from pipeline.results import rows
from pipeline.study.quantities import ALL
from robustinfo.attacks._gradient_safe import GradientSafe
from robustinfo.core.batches import correct
from robustinfo.core.measurement import Measurement, fraction
from robustinfo.core.settings import pixels
from robustinfo.judge import follow_up, threats
from robustinfo.judge.outcome import measurements, outcome
from robustinfo.judge.threats import Threat, threat
from robustinfo.maths.balls import feasible, same_ball


class Combined(NamedTuple):
    """What the attacks of a run say together."""

    measurements: list[Measurement]  # entry: the norm, or ALL
    correct: dict[str, Tensor]  # (n,) bool: clean, under each attack, all of each norm, and ALL
    resisting: dict[str, Tensor]  # by norm, (n,) bool: no attack on the cross-entropy broke them


class Other(NamedTuple):
    """An attack that was not made on this run: what it may do, turned, and its images."""

    threat: Threat
    success: Tensor
    x_adv: Tensor


def combined(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    stored: Mapping[str, Mapping[str, Tensor]],
    entries: Mapping,
    limits: Mapping[str, Any],
    others: Mapping[str, Other] | None = None,
    *,
    generator: Generator,
) -> Combined:
    """Over the stored examples of every attack. x: (n, c, h, w) in [0, 1], or texts.  y: (n,).

    stored: as the stage attack keeps them. entries: the attacks of the study. limits: as ``within``
    takes them. Of threat models nothing is said where no attack has an epsilon.
    """
    made = within(entries, limits)
    kinds = made | {name: one.threat for name, one in (others or {}).items()}
    right = correct(model, x, y)
    success = {name: one["success"].to(y.device) for name, one in stored.items()}
    found = Combined([], {"clean": right}, {})
    found.correct.update({name: right & ~mask for name, mask in success.items()})
    success |= {name: one.success for name, one in (others or {}).items()}
    adversarial = {name: one["x_adv"].to(x.device) for name, one in stored.items()}
    adversarial |= {name: one.x_adv for name, one in (others or {}).items()}
    network = GradientSafe(model).eval()
    for norm, epsilon in threats.threat_models(made).items():
        own = {name: one for name, one in kinds.items() if one.norm == norm}
        told = outcome(success, own, right, norm)
        starts = x.clone()
        for name, one in own.items():
            follow_up.keep_weaker(starts, one, success[name], adversarial[name], norm)
        after = follow_up.follow_up(
            network, x, y, told, (norm, epsilon), entries, own,
            starts=starts, generator=generator,
        )  # fmt: skip
        told = told._replace(robust=after.robust(told.robust))
        infeasible = torch.zeros_like(right)
        for name in own.keys() & stored.keys():
            infeasible |= ~feasible(x, adversarial[name], norm, own[name].epsilon)
        values = threats.attack_counts(made, (norm, epsilon)) + measurements(told, after.only)
        values += [*follow_up.measurements(after), fraction("infeasible_fraction", infeasible)]
        found.measurements.extend(one._replace(entry=norm) for one in values)
        found.correct[norm] = told.robust
        found.resisting[norm] = told.resists_cross_entropy
    if found.resisting:
        everywhere = torch.stack([found.correct[norm] for norm in found.resisting]).all(0)
        found.correct[ALL] = everywhere
        found.measurements.append(fraction("robust_accuracy", everywhere)._replace(entry=ALL))
    return found


def by_image(correct: Mapping[str, Tensor]) -> pd.DataFrame:
    """entry, index (in the test set), correct (1 or 0): whatever was tried, of norms and ALL."""
    parts = [
        pd.DataFrame({"entry": name, "index": range(len(mask)), "correct": mask.int().cpu()})
        for name, mask in correct.items()
    ]
    return pd.concat(parts, ignore_index=True)


def within(entries: Mapping, limits: Mapping[str, Any]) -> dict[str, Threat]:
    """The attacks that are part of a threat model: with an epsilon, and none beyond the limit.

    limits: by norm, as ``threat`` of the study has them; a norm without one has no limit.
    """
    most = {norm: None if size is None else pixels(size) for norm, size in limits.items()}
    found = {name: threat(entry) for name, entry in entries.items()}
    return {name: one for name, one in found.items() if _counts(one, most.get(one.norm))}


def _counts(one: Threat, most: float | None) -> bool:
    """Whether an attack has an epsilon, and none beyond the limit, however both are written."""
    if one.epsilon is None or most is None:
        return one.epsilon is not None
    return one.epsilon <= most or same_ball((one.norm, one.epsilon), (one.norm, most))


def with_transfers(combined: pd.DataFrame) -> pd.DataFrame:
    """What runs say over all attacks: with what was transferred, where anything was."""
    transferred = combined.stage == "transfer"
    of_run = [combined[name] for name in rows.RUN]
    return combined[transferred | ~transferred.groupby(of_run).transform("any")]
