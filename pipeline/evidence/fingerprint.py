"""Fingerprint of one half of a unit, parameters and code, that later commits are compared with."""

import hashlib
import json
from pathlib import Path
from typing import Any

from pipeline.evidence import steps
from pipeline.evidence.units import HOME
from pipeline.run import code, meaning
from pipeline.run.plan import Plan
from pipeline.study.checked import load
from pipeline.study.slices import in_setting
from robustinfo.core.errors import UserError

CONTRACTS = "pipeline/run/contract.py"  # without it, a commit's stages have no contracts
SCALE = ("training_images", "evaluation_images")  # null: all


def of_half(unit: Any, half: str, checkout: Path = Path()) -> dict[str, Any]:  # noqa: ANN401
    """Fingerprint of a unit's half, as ``of_study``, from the checkout's study file."""
    return of_study(load(Path(checkout, unit.study_file)), unit.names, half, checkout)


def of_study(
    study: dict[str, Any], names: dict[str, str], half: str, checkout: Path
) -> dict[str, Any]:
    """{"asked": sha256 of the parameters, "meaning": {file: digest}} of one half of a run.

    study: checked; the checkout may lack it. Raises UserError if the checkout has no contracts.
    """
    if not Path(checkout, CONTRACTS).is_file():
        run = "/".join([study["name"], *names.values()])
        raise UserError(
            f"{checkout} is of a commit at which stages had no contracts yet: {run} can only be "
            f"finished by the runner of then, in a git worktree of it; to begin it again, delete "
            f"{HOME / 'begun' / run} and {HOME / 'results' / run}"
        )
    step_params, files, plan = [], set(), Plan(study, checkout)
    for step in steps.steps_of_run(study, names, checkout)[half]:
        job = plan.job(step.stage, step.names)
        params = plan.params(job)
        step_params.append([step.stage, step.names, params])
        files.update(code.source_files(job.contract, params, checkout))
    params_sha256 = hashlib.sha256(json.dumps(step_params, sort_keys=True).encode()).hexdigest()
    return {"asked": params_sha256, "meaning": meaning.digests(files, checkout)}


def run_scale(unit: Any, checkout: Path, available: int) -> dict[str, Any]:  # noqa: ANN401
    """Scale of a unit's results: images, epochs and batch size.

    available: images of the whole training set. Held-out images are not counted.
    """
    study = load(checkout / unit.study_file)
    params = steps.training_params(study, unit.names)
    study_here = in_setting(study, unit.names)
    scale = {name: study_here[name] for name in SCALE}
    if validation_fraction := params["validation_share"]:
        used_images = min(params["training_images"] or available, available)
        scale["training_images"] = round(used_images * (1 - validation_fraction))
    return scale | {name: params["training"][name] for name in ("epochs", "batch_size")}
