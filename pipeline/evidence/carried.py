"""Networks whose files do not say their architecture, as earlier commits wrote them: carried over.

``core/checkpoint.py`` refuses such files. Those of the evidence are known by more than their bytes:
the unit's study says what they are of, and the record, or the note of the training, which study
that was. So a copy that says it, too, takes their place among the results. The file as it was
trained waits beside it, and the copy names its sha256: that file is committed, and no other.
"""

import shutil
from pathlib import Path
from typing import Any

from pipeline.evidence import asking, begun, records, steps
from pipeline.evidence.units import AS_TRAINED, Unit
from pipeline.run.contract import template
from pipeline.study.checked import load
from robustinfo.core import checkpoint
from robustinfo.core.errors import UserError
from robustinfo.core.files import atomic_write
from robustinfo.core.sealed import seal, unseal
from robustinfo.datasets._prepared import data_root, prepare


def carry_over(unit: Unit) -> None:
    """Have the unit's network and snapshots say what they are of, if they are here and do not.

    Raises UserError where the study by now asks for another training than the one that made them.
    """
    model, snapshots = (unit.path(template(one)) for one in ("model", "snapshots"))
    if not model.exists():
        return
    _, about = unseal(model)
    if checkpoint.ARCHITECTURE in about:
        return
    study = load(Path(unit.study_file))
    _check_same_training(study, unit, model)
    with atomic_write(model.parent / AS_TRAINED / model.name) as part:
        shutil.copyfile(model, part)
    about |= checkpoint.network_metadata(**network_of(study, unit))
    about[records.CARRIED] = records.sha256(model)
    for file in (*snapshots.glob("*.safetensors"), model):  # it is last: it says that all are done
        seal(file, unseal(file)[0], about)


def network_of(study: dict[str, Any], unit: Unit) -> dict[str, Any]:
    """What the study says its networks are of, by the names that a checkpoint has for it."""
    asked = steps.asked(study, unit.names)
    manifest = prepare(unit.dataset, asked["dataset"], data_root())
    return {
        "architecture": asked["model"],
        "shape": tuple(manifest["splits"]["train"]["shape"]),
        "classes": len(manifest["classes"]),
    }


def _check_same_training(study: dict[str, Any], unit: Unit, model: Path) -> None:
    known = records.read(unit) if unit.is_finished else begun.of(unit)
    now = asking.with_study(study, unit.names, "training", Path())["asked"]
    if known["training"].get("asked") != now:
        raise UserError(
            f"{model} does not say its architecture, and {unit.study_file} asks for another "
            f"training by now; delete {unit.record} to train it again"
        )
