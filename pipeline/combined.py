"""Per image, over all attacks: what a run leaves standing, and what broke it alone."""

from collections.abc import Mapping

import torch
from torch import Tensor

from pipeline import paths
from pipeline.slices import bounded
from pipeline.stage import Job
from robustinfo import catalogue
from robustinfo.judging import Threat, worst_case
from robustinfo.maths.balls import feasible
from robustinfo.sealed import unseal


def fractions(
    job: Job, x: Tensor, others: Mapping[str, tuple[Tensor, Threat]] | None = None
) -> dict[str, float]:
    """Fractions of all images, each taken over every attack that has an epsilon.

    x: the clean images, on the CPU. others: (success, threat) of attacks that were not made on
    this run, by name. Nothing where no attack has an epsilon: there is no threat model.
    """
    if not any(bounded(entry) for entry in job.params["attacks"].values()):
        return {}
    success, threats = {}, {}
    infeasible = torch.zeros(len(x), dtype=torch.bool)
    for name, entry in job.params["attacks"].items():
        threats[name] = threat(entry)
        examples, _ = unseal(job.path(paths.EXAMPLES, attack=name))
        success[name], clean = examples["success"], examples["correct"]
        _, norm, epsilon = threats[name]
        infeasible |= ~feasible(x, examples["x_adv"], norm, epsilon)
    for name, (other_success, other_threat) in (others or {}).items():
        success[name], threats[name] = other_success, other_threat
    masks = worst_case(success, threats)
    shares = {f"{name}_share": masks[name] for name in masks if name.endswith("_only")}
    shares |= {"robust_accuracy": clean & ~masks["broken"], "infeasible_share": infeasible}
    return {name: mask.double().mean().item() for name, mask in shares.items()}


def threat(entry: Mapping) -> Threat:
    """What an attack of the study may do."""
    config = catalogue.config("attacks", entry)
    return Threat(catalogue.module("attacks", entry).ROLE, config.norm, config.epsilon)
