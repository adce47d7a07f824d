"""What one half of a unit asks for, and with which code: what a later commit is compared with."""

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

CONTRACTS = "pipeline/run/contract.py"  # reads what the stages of a commit say of themselves
SCALE = ("training_images", "evaluation_images")  # null: all


def of(unit: Any, half: str, checkout: Path = Path()) -> dict[str, Any]:  # noqa: ANN401
    """The sha256 of the study's part, and the digest of every file's meaning."""
    return with_study(load(Path(checkout, unit.study_file)), unit.names, half, checkout)


def with_study(
    study: dict[str, Any], names: dict[str, str], half: str, checkout: Path
) -> dict[str, Any]:
    """The same, of a study that the checkout may lack. Raises UserError if it has no contracts."""
    if not Path(checkout, CONTRACTS).is_file():
        own = "/".join([study["name"], *names.values()])
        raise UserError(
            f"{checkout} is of a commit at which stages had no contracts yet: {own} can only be "
            f"finished by the runner of then, in a git worktree of it; to begin it again, delete "
            f"{HOME / 'begun' / own} and {HOME / 'results' / own}"
        )
    read, files, plan = [], set(), Plan(study, checkout)
    for step in steps.of(study, names, checkout)[half]:
        job = plan.job(step.stage, step.names)
        part = plan.params(job)
        read.append([step.stage, step.names, part])
        files.update(code.code(job.contract, part, checkout))
    asked = hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()
    return {"asked": asked, "meaning": meaning.of(files, checkout)}


def scale(unit: Any, checkout: Path, available: int) -> dict[str, Any]:  # noqa: ANN401
    """Images, epochs and batch size: the scale that its numbers are of.

    available: images of the whole training set; those that were held out trained nothing.
    """
    study = load(checkout / unit.study_file)
    read = steps.asked(study, unit.names)
    own = in_setting(study, unit.names)
    found = {name: own[name] for name in SCALE}
    if share := read["validation_share"]:
        taken = min(read["training_images"] or available, available)
        found["training_images"] = round(taken * (1 - share))
    return found | {name: read["training"][name] for name in ("epochs", "batch_size")}
