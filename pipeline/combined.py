"""Per image and threat model, over all attacks of a run: what is robust, and what follows up."""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd
import torch
from torch import Tensor, nn

from pipeline import paths, rows
from pipeline.per import resolve
from pipeline.schema import Limits
from pipeline.slices import present
from pipeline.stage import Job
from robustinfo.attacks._climbable import Climbable
from robustinfo.judge import follow_up, threats
from robustinfo.judge.threats import Threat, threat
from robustinfo.maths.balls import feasible, same_ball
from robustinfo.measurement import Measurement, fraction
from robustinfo.sealed import unseal

ALL = "attacks"  # the entry of what is said over all threat models


class Combined(NamedTuple):
    """What the attacks of a run say together."""

    measurements: list[Measurement]  # entry: the norm, or ALL
    robust: dict[str, Tensor]  # by norm, (n,) bool
    resisting: dict[str, Tensor]  # by norm, (n,) bool: no attack on the cross-entropy broke them


def combined(
    job: Job,
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    others: Mapping[str, tuple[Tensor, Threat]] | None = None,
) -> Combined:
    """Over the stored examples of every attack that counts. x: (n, c, h, w) in [0, 1].  y: (n,).

    others: (success, threat) of attacks that were not made on this run, by name. Nothing where no
    attack has an epsilon: there is no threat model.
    """
    entries = job.params["attacks"]
    made = within(entries, job.params["threat"])
    models = threats.models(made)
    success, correct = {}, None
    infeasible = {norm: torch.zeros_like(y, dtype=torch.bool) for norm in models}
    for name, one in made.items():
        examples, _ = unseal(job.path(paths.EXAMPLES, attack=name))
        success[name], correct = examples["success"].to(y.device), examples["correct"].to(y.device)
        bad = ~feasible(x, examples["x_adv"].to(x.device), one.norm, one.epsilon)
        infeasible[one.norm] |= bad
    kinds = dict(made)
    for name, (turned, other) in (others or {}).items():
        success[name], kinds[name] = turned, other
    found = Combined([], {}, {})
    network = Climbable(model).eval()
    for norm, epsilon in models.items():
        outcome = threats.outcome(success, kinds, correct, norm)
        after = follow_up.follow_up(
            network, x, y, outcome, (norm, epsilon), entries, kinds, generator=job.generator
        )
        values = threats.counts(made, norm) + threats.measured(outcome, after.only)
        values += [*follow_up.measured(after), fraction("infeasible_fraction", infeasible[norm])]
        found.measurements.extend(one._replace(entry=norm) for one in values)
        found.robust[norm], found.resisting[norm] = outcome.robust, outcome.resists_cross_entropy
    if found.robust:
        everywhere = torch.stack([*found.robust.values()]).all(0)
        found.measurements.append(fraction("robust_accuracy", everywhere)._replace(entry=ALL))
    return found


def by_image(robust: Mapping[str, Tensor]) -> pd.DataFrame:
    """norm, index (in the test set), robust (1: correct, whatever was tried, else 0)."""
    parts = [
        pd.DataFrame({"norm": norm, "index": range(len(mask)), "robust": mask.int().cpu()})
        for norm, mask in robust.items()
    ]
    return pd.concat([pd.DataFrame(columns=["norm", "index", "robust"]), *parts])


def within(entries: Mapping, limits: Mapping[str, float | str | None]) -> dict[str, Threat]:
    """The attacks that are part of a threat model: with an epsilon, and none beyond the limit.

    limits: by norm, as ``threat`` of the study has them; a norm without one has no limit.
    """
    most = Limits(**limits).model_dump()
    found = {name: threat(entry) for name, entry in entries.items()}
    return {name: one for name, one in found.items() if _counts(one, most.get(one.norm))}


def _counts(one: Threat, most: float | None) -> bool:
    """Whether an attack has an epsilon, and none beyond the limit, however both are written."""
    if one.epsilon is None or most is None:
        return one.epsilon is not None
    return one.epsilon <= most or same_ball((one.norm, one.epsilon), (one.norm, most))


def counting(params: Mapping, names: Mapping[str, str]) -> dict[str, Threat]:
    """The attacks of a setting that are part of a threat model. params: of the whole study."""
    attacks = present("attacks", resolve(params["attacks"], names))
    return within(attacks, resolve(params["threat"], names))


def with_transfers(combined: pd.DataFrame) -> pd.DataFrame:
    """What runs say over all attacks: with what was transferred, where anything was."""
    transferred = combined.stage == "transfer"
    of_run = [combined[name] for name in rows.RUN]
    return combined[transferred | ~transferred.groupby(of_run).transform("any")]
