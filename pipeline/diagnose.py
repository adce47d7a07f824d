"""Stage diagnose: whether the attacks on one run can be believed, and what they leave standing.

reads   .../model.safetensors, .../attacks/*.safetensors, results/{study}/{dataset}/data.json
writes  .../diagnostics.csv  clean accuracy; every diagnostic at every level; per image over all
        attacks: robust accuracy, what only noise, only single-step or only adaptive attacks broke,
        infeasible ones
"""

import torch
from torch import Tensor, nn

from pipeline import load, paths, rows
from pipeline.slices import bounded
from pipeline.stage import Job, main
from robustinfo import catalogue
from robustinfo.batches import accuracy, floats
from robustinfo.diagnostics._finding import Finding
from robustinfo.judging import Threat, worst_case
from robustinfo.maths.balls import feasible
from robustinfo.sealed import unseal


def run(job: Job) -> None:
    """Run every diagnostic on the test images, then combine the stored examples per image."""
    images, labels = load.test_images(job)
    x, y = floats(images, job.device), labels.to(job.device)
    model = load.trained(job, job.path(paths.MODEL))
    found = [("clean", None, Finding("accuracy", accuracy(model, x, y)))]
    for name, entry in job.params["diagnostics"].items():
        for level, params in catalogue.sweep(entry):
            found += [(name, level, one) for one in _diagnosed(job, model, x, y, params)]
    for quantity, value in _over_attacks(job, x.cpu()).items():
        found.append(("attacks", None, Finding(quantity, value)))
    rows.write(job.path(paths.DIAGNOSTICS), (_row(*one) | {"n": len(y)} for one in found))


def _diagnosed(job: Job, model: nn.Module, x: Tensor, y: Tensor, params: dict) -> list[Finding]:
    given = {}
    if "examples" in params:
        stored, _ = unseal(job.path(paths.EXAMPLES, attack=params["examples"]))
        given["examples"] = {name: tensor.to(job.device) for name, tensor in stored.items()}
    return catalogue.get("diagnostics", params)(model, x, y, generator=job.generator, **given)


def _over_attacks(job: Job, x: Tensor) -> dict[str, float]:
    """Fractions of all images, each image taken over every attack that has an epsilon.

    Nothing where none has: there is no threat model.
    """
    if not any(bounded(entry) for entry in job.params["attacks"].values()):
        return {}
    success, threats = {}, {}
    infeasible = torch.zeros(len(x), dtype=torch.bool)
    for name, entry in job.params["attacks"].items():
        config = catalogue.config("attacks", entry)
        role = catalogue.module("attacks", entry).ROLE
        threats[name] = Threat(role, config.norm, config.epsilon)
        examples, _ = unseal(job.path(paths.EXAMPLES, attack=name))
        success[name], clean = examples["success"], examples["correct"]
        infeasible |= ~feasible(x, examples["x_adv"], config.norm, config.epsilon)
    masks = worst_case(success, threats)
    fractions = {
        "robust_accuracy": clean & ~masks["broken"],
        "noise_only_share": masks["noise_only"],
        "single_step_only_share": masks["single_step_only"],
        "infeasible_share": infeasible,
    }
    if "adaptive_only" in masks:
        fractions["adaptive_only_share"] = masks["adaptive_only"]
    return {name: mask.double().mean().item() for name, mask in fractions.items()}


def _row(entry: str, swept: float | None, found: Finding) -> dict:
    level = found.level if swept is None else swept
    own = found._asdict() | {"level": "" if level is None else level}
    return {"stage": "diagnose", "entry": entry} | own


if __name__ == "__main__":
    main(run, "diagnose")
