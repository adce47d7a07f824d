"""Checkpoints of earlier commits, which lack the architecture: a copy with it takes their place.

``core/checkpoint.py`` refuses such files. In the evidence the unit's study has the architecture,
and the unit's record or state has the fingerprint of that study. So a copy with the architecture
takes the file's place among the results. The original stays beside it, and the copy holds its
sha256: the original is what is committed.
"""

import shutil
from pathlib import Path
from typing import Any

from pipeline.evidence import fingerprint, records, steps, unit_state
from pipeline.evidence.units import AS_TRAINED, Unit
from pipeline.run.contract import template
from pipeline.study.checked import load
from robustinfo.core import checkpoint
from robustinfo.core.errors import UserError
from robustinfo.core.files import atomic_write
from robustinfo.core.sealed import seal, unseal
from robustinfo.datasets._prepared import data_root, prepare


def add_architecture(unit: Unit) -> None:
    """Add the architecture to the unit's network and snapshots, if they exist and lack it.

    Raises UserError where the study has changed since their training.
    """
    model, snapshots = (unit.path(template(artifact)) for artifact in ("model", "snapshots"))
    if not model.exists():
        return
    _, metadata = unseal(model)
    if checkpoint.ARCHITECTURE in metadata:
        return
    study = load(Path(unit.study_file))
    _check_same_training(study, unit, model)
    with atomic_write(model.parent / AS_TRAINED / model.name) as part:
        shutil.copyfile(model, part)
    metadata |= checkpoint.network_metadata(**network_spec(study, unit))
    metadata[records.ORIGINAL_SHA256] = records.sha256(model)
    for file in (
        *snapshots.glob("*.safetensors"),
        model,
    ):  # the model last: it marks that all are done
        seal(file, unseal(file)[0], metadata)


def network_spec(study: dict[str, Any], unit: Unit) -> dict[str, Any]:
    """Architecture, input shape and number of classes of the unit, by the keys of a checkpoint."""
    params = steps.training_params(study, unit.names)
    manifest = prepare(unit.dataset, params["dataset"], data_root())
    return {
        "architecture": params["model"],
        "shape": tuple(manifest["splits"]["train"]["shape"]),
        "classes": len(manifest["classes"]),
    }


def _check_same_training(study: dict[str, Any], unit: Unit, model: Path) -> None:
    recorded = records.read(unit) if unit.is_finished else unit_state.read(unit)
    current = fingerprint.of_study(study, unit.names, "training", Path())["asked"]
    if recorded["training"].get("asked") != current:
        raise UserError(
            f"{model} does not say its architecture, and {unit.study_file} asks for another "
            f"training by now; delete {unit.record} to train it again"
        )
