"""Records of finished units, to be committed: rows, outcomes, small networks, and their sha256.

Networks and states are binary, and git keeps each version whole: all of them together stay within
BUDGET. A larger one is left out and known by its sha256.
"""

import shutil
from typing import Any

from pipeline.evidence import fingerprint, gather, unit_state
from pipeline.evidence.units import CHECKOUTS, RECORD, RECORDS, Unit
from pipeline.results import sealed_text
from pipeline.run.contract import template
from pipeline.run.digest import sha256
from robustinfo.core.errors import UserError
from robustinfo.core.files import AlteredFileError, atomic_write, disk_errors
from robustinfo.core.sealed import unseal

BUDGET = 6_000_000  # bytes of all networks and states together
DEVICE = ("device", "instructions", "threads", "torch")  # of a checkpoint's own description


def budget_left(without: Unit) -> int:
    """Bytes left of the budget, not counting files of the unit itself."""
    files = [*RECORDS.rglob("*.safetensors")]
    return BUDGET - sum(f.stat().st_size for f in files if without.record not in f.parents)


def publish(unit: Unit) -> None:
    """Write the record of a unit whose steps are all done, whole or not at all."""
    model = unit.path(template("model"))
    size = model.stat().st_size
    files = [unit.path(gather.ROWS), unit.path(gather.OUTCOMES)]
    files += [model] if size <= budget_left(unit) else []
    state = unit_state.read(unit)
    metadata = unseal(model)[1]
    data = sealed_text.read_json(unit.path(template("data")))["splits"]["train"]
    content = {
        "unit": unit.name,
        "study_file": unit.study_file,
        **state,
        "scale": fingerprint.run_scale(
            unit, CHECKOUTS / state["measuring"]["commit"], data["images"]
        ),
        "trained_on": {name: metadata[name] for name in DEVICE},
        "checkpoint": {"bytes": size, "sha256": sha256(model), "committed": model in files},
        "files": {file.name: sha256(file) for file in files},
    }
    partial = unit.record.with_name(f".{unit.seed}.partial")
    with disk_errors(unit.record):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for file in files:
            shutil.copyfile(file, partial / file.name)
        sealed_text.write_json(partial / RECORD, content)
        if unit.record.exists():
            shutil.rmtree(unit.record)
        partial.rename(unit.record)
    unit_state.path(unit).unlink()


def read(unit: Unit) -> dict[str, Any]:
    """The record's unit.json. Raises AlteredFileError, naming the file, if any was altered."""
    record = sealed_text.read_json(unit.record / RECORD)
    present = {file.name for file in unit.record.iterdir()} - {RECORD}
    for name in sorted(present | record["files"].keys()):
        file = unit.record / name
        if not file.exists() or sha256(file) != record["files"].get(name):
            raise AlteredFileError(
                f"{file} is not as the unit was finished; git restore {unit.record}"
            )
    return record


def provide_network(unit: Unit, *, needed_by: Unit) -> None:
    """Copy the unit's network from its record to the results, unless it is there."""
    model = unit.path(template("model"))
    if model.exists():
        return
    stored = unit.record / model.name
    if not (unit.is_finished and "model.safetensors" in read(unit)["files"]):
        raise UserError(
            f"{needed_by.name} starts from the network of {unit.name}, which is not here; "
            f"list that unit before it in the plan, or delete {unit.record} to train it again"
        )
    with atomic_write(model) as part:
        shutil.copyfile(stored, part)
