"""Worst case over all attacks of a run, per image and threat model, with its follow-up attacks."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd
import torch
from torch import Generator, Tensor, nn

from pipeline.results import rows
from pipeline.study.quantities import UNION
from robustinfo.attacks._gradient_safe import GradientSafe
from robustinfo.core.batches import correct
from robustinfo.core.measurement import Measurement, fraction
from robustinfo.core.settings import pixels
from robustinfo.evaluation import follow_up, threats
from robustinfo.evaluation.outcome import measurements, outcome
from robustinfo.evaluation.threats import Threat, threat
from robustinfo.maths.balls import feasible, same_ball


class WorstCase(NamedTuple):
    """Result over all attacks of a run."""

    measurements: list[Measurement]  # entry: the norm, or UNION
    correct: dict[str, Tensor]  # (n,) bool: clean, under each attack, all of each norm, and UNION
    resisting: dict[str, Tensor]  # by norm, (n,) bool: no attack on the cross-entropy broke them


class TransferredAttack(NamedTuple):
    """An attack whose examples were made on another run: its threat, successes (n,), examples."""

    threat: Threat
    success: Tensor
    x_adv: Tensor


def worst_case(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    stored: Mapping[str, Mapping[str, Tensor]],
    entries: Mapping,
    limits: Mapping[str, Any],
    others: Mapping[str, TransferredAttack] | None = None,
    *,
    generator: Generator,
) -> WorstCase:
    """Combine the stored examples of every attack. x: (n, c, h, w) in [0, 1], or texts.  y: (n,).

    stored: by attack, as the stage attack writes them. entries: the attacks of the study. limits:
    as ``attacks_in_scope`` takes them. No threat model is reported where no attack has an epsilon.
    """
    in_scope = attacks_in_scope(entries, limits)
    threats_by_name = in_scope | {name: other.threat for name, other in (others or {}).items()}
    clean_correct = correct(model, x, y)
    success = {name: examples["success"].to(y.device) for name, examples in stored.items()}
    result = WorstCase([], {"clean": clean_correct}, {})
    result.correct.update({name: clean_correct & ~mask for name, mask in success.items()})
    success |= {name: other.success for name, other in (others or {}).items()}
    adversarial = {name: examples["x_adv"].to(x.device) for name, examples in stored.items()}
    adversarial |= {name: other.x_adv for name, other in (others or {}).items()}
    network = GradientSafe(model).eval()
    for norm, epsilon in threats.threat_models(in_scope).items():
        in_norm = {name: one for name, one in threats_by_name.items() if one.norm == norm}
        outcomes = outcome(success, in_norm, clean_correct, norm)
        starts = x.clone()
        for name, one in in_norm.items():
            follow_up.keep_weaker(starts, one, success[name], adversarial[name], norm)
        followed_up = follow_up.follow_up(
            network, x, y, outcomes, (norm, epsilon), entries, in_norm,
            starts=starts, generator=generator,
        )  # fmt: skip
        outcomes = outcomes._replace(robust=followed_up.robust(outcomes.robust))
        infeasible = torch.zeros_like(clean_correct)
        for name in in_norm.keys() & stored.keys():
            infeasible |= ~feasible(x, adversarial[name], norm, in_norm[name].epsilon)
        values = threats.attack_counts(in_scope, (norm, epsilon))
        values += measurements(outcomes, followed_up.only)
        values += follow_up.measurements(followed_up)
        values.append(fraction("infeasible_fraction", infeasible))
        result.measurements.extend(one._replace(entry=norm) for one in values)
        result.correct[norm] = outcomes.robust
        result.resisting[norm] = outcomes.resists_cross_entropy
    if result.resisting:
        robust_everywhere = torch.stack([result.correct[norm] for norm in result.resisting]).all(0)
        result.correct[UNION] = robust_everywhere
        result.measurements.append(
            fraction("robust_accuracy", robust_everywhere)._replace(entry=UNION)
        )
    return result


def per_image_table(correct: Mapping[str, Tensor]) -> pd.DataFrame:
    """Table entry, index (in the test set), correct (1 or 0): attacks, norms and UNION."""
    parts = [
        pd.DataFrame({"entry": name, "index": range(len(mask)), "correct": mask.int().cpu()})
        for name, mask in correct.items()
    ]
    return pd.concat(parts, ignore_index=True)


def attacks_in_scope(entries: Mapping, limits: Mapping[str, Any]) -> dict[str, Threat]:
    """Threats of the attacks within a threat model: with an epsilon that is within the limit.

    limits: by norm, the section ``threat`` of the study; a norm without one has no limit.
    """
    largest = {norm: None if size is None else pixels(size) for norm, size in limits.items()}
    attack_threats = {name: threat(entry) for name, entry in entries.items()}
    return {
        name: one
        for name, one in attack_threats.items()
        if _is_in_scope(one, largest.get(one.norm))
    }


def _is_in_scope(attack: Threat, limit: float | None) -> bool:
    """Whether an attack has an epsilon within the limit, up to rounding."""
    if attack.epsilon is None or limit is None:
        return attack.epsilon is not None
    return attack.epsilon <= limit or same_ball((attack.norm, attack.epsilon), (attack.norm, limit))


def with_transfers(rows_over_attacks: pd.DataFrame) -> pd.DataFrame:
    """Rows over all attacks of each run: those with transferred attacks, where there are any."""
    transferred = rows_over_attacks.stage == "transfer"
    of_run = [rows_over_attacks[name] for name in rows.RUN]
    return rows_over_attacks[transferred | ~transferred.groupby(of_run).transform("any")]
