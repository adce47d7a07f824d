"""Per image, over all attacks: what a run leaves standing, and what broke it alone."""

from collections.abc import Mapping

import pandas as pd
import torch
from torch import Tensor

from pipeline import paths
from pipeline.per import resolve
from pipeline.schema import Limits
from pipeline.slices import present
from pipeline.stage import Job
from robustinfo import catalogue
from robustinfo.maths.balls import feasible
from robustinfo.sealed import unseal
from robustinfo.worst_case import Threat, shares


def fractions(
    job: Job, x: Tensor, others: Mapping[str, tuple[Tensor, Threat]] | None = None
) -> tuple[dict[str, tuple[float, int]], Tensor]:
    """Fractions, and of how many images, each over every attack of the threat model; who stands.

    x: the clean images, on the CPU. others: (success, threat) of attacks that were not made on
    this run, by name. Nothing, and nobody, where no attack has an epsilon: there is no threat
    model.
    """
    threats = {name: threat(entry) for name, entry in job.params["attacks"].items()}
    if not any(counts(made, job.params["threat"]) for made in threats.values()):
        return {}, torch.empty(0, dtype=torch.bool)
    success = {}
    infeasible = torch.zeros(len(x), dtype=torch.bool)
    for name, made in list(threats.items()):
        examples, _ = unseal(job.path(paths.EXAMPLES, attack=name))
        success[name], clean = examples["success"], examples["correct"]
        infeasible |= ~feasible(x, examples["x_adv"], made.norm, made.epsilon)
        if not counts(made, job.params["threat"]):
            threats[name] = made._replace(epsilon=None)
    for name, (other_success, other_threat) in (others or {}).items():
        success[name], threats[name] = other_success, other_threat
    found, stands = shares(success, threats, clean)
    found["infeasible_share"] = (infeasible.double().mean().item(), len(x))
    return found, stands


def by_image(stands: Tensor) -> pd.DataFrame:
    """index (in the test set), stands (1: correct, whatever was tried, else 0)."""
    return pd.DataFrame({"stands": stands.int()}).rename_axis("index").reset_index()


def counts(made: Threat, limits: Mapping[str, float | str | None]) -> bool:
    """Whether an attack is part of the threat model: it has an epsilon, and none beyond the limit.

    limits: by norm, as ``threat`` of the study has them; a norm without one has no limit.
    """
    most = Limits(**limits).model_dump().get(made.norm)
    return made.epsilon is not None and (most is None or made.epsilon <= most)


def counting(params: Mapping, names: Mapping[str, str]) -> dict[str, Threat]:
    """The attacks of a setting that are part of its threat model. params: of the whole study."""
    attacks = present("attacks", resolve(params["attacks"], names))
    limits = resolve(params["threat"], names)
    threats = {name: threat(entry) for name, entry in attacks.items()}
    return {name: made for name, made in threats.items() if counts(made, limits)}


def threat(entry: Mapping) -> Threat:
    """What an attack of the study may do."""
    config = catalogue.config("attacks", entry)
    # Of texts no distance is taken.
    norm, epsilon = getattr(config, "norm", ""), getattr(config, "epsilon", None)
    return Threat(catalogue.module("attacks", entry).ROLE, norm, epsilon)
