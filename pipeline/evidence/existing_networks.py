"""Units of existing networks: adopt one trained elsewhere, measure a finished one again."""

import csv
import io
import shutil
from pathlib import Path

from pipeline.evidence import checkouts, compatibility, fingerprint, records, unit_state
from pipeline.evidence.units import EARLIER, RUN, Unit
from pipeline.results import rows, sealed_text
from pipeline.run.contract import template
from pipeline.run.digest import sha256
from pipeline.study.checked import load
from robustinfo.core.errors import UserError
from robustinfo.core.files import atomic_write, disk_errors


def adopt(unit: Unit, folder: Path, commit: str) -> str:
    """Take over model.safetensors, history.csv and snapshots/ of a run that the commit trained.

    Raises UserError where they do not fit the study. That the commit trained them is not checked.
    """
    if unit.is_finished or unit_state.path(unit).exists():
        raise UserError(
            f"{unit.name} is finished or under way; delete {unit.record} to adopt another"
        )
    commit = checkouts.full(commit)
    study = load(Path(unit.study_file))
    history = _history(folder / "history.csv")
    compatibility.check(study, unit, folder, history)
    code_and_study = fingerprint.of_study(study, unit.names, "training", checkouts.at(commit))
    with disk_errors(unit.path(RUN)):
        shutil.rmtree(unit.path(RUN), ignore_errors=True)
        shutil.copytree(folder / "snapshots", unit.path(template("snapshots")))
    rows.write(unit.path(template("history")), history)
    date = checkouts.date(commit)
    unit_state.update(
        unit, "training", commit=commit, date=date, seconds=0.0, adopted=True, **code_and_study
    )
    with atomic_write(unit.path(template("model"))) as part:
        shutil.copyfile(folder / "model.safetensors", part)
    return f"adopted {unit.name}; `make evidence` measures it in its turn"


def remeasure(unit: Unit) -> None:
    """Prepare a finished unit to be measured at the current commit; the runner then finishes it.

    In a fresh clone, where snapshots are missing, the last one is the network itself, and the
    committed measures of the others are kept.
    """
    record, model = records.read(unit), unit.path(template("model"))
    expected = record["checkpoint"]["sha256"]
    if model.exists() and sha256(model) != expected:
        raise UserError(f"{model} is not the network of {unit.record}; delete it")
    # The network alone may be here: another needed it.
    if not unit.path(template("snapshots")).exists():
        records.provide_network(unit, needed_by=unit)
        table = rows.read(unit.record / "rows.csv")
        columns = [*rows.MEASURED_AT, *rows.VALUE]
        for stage, place in (("train", template("history")), ("measure", EARLIER)):
            rows.write_table(unit.path(place), table.loc[table.stage == stage, columns])
        last = record["scale"]["epochs"]
        with atomic_write(
            unit.path(template("snapshots")) / f"epoch_{last:04}.safetensors"
        ) as part:
            shutil.copyfile(model, part)
    unit_state.update(unit, "training", **record["training"])
    unit_state.unpin(unit, "measuring")
    if unit.path(EARLIER).exists():
        measuring = record["measuring"]
        by = measuring.get("snapshots_measured_by", measuring["commit"])
        unit_state.update(unit, "measuring", snapshots_measured_by=by)


def _history(file: Path) -> list[dict[str, str]]:
    """Rows of history.csv; earlier versions had no seal and fewer columns."""
    content = file.read_bytes()
    if content.startswith(sealed_text.SEAL.encode()):
        content = sealed_text.read(file)
    return [*csv.DictReader(io.StringIO(content.decode()))]
