"""Networks that are there already: one of elsewhere is adopted, a finished one measured again."""

import csv
import io
import shutil
from pathlib import Path

from pipeline.evidence import asking, begun, checkouts, fitting, records
from pipeline.evidence.units import EARLIER, RUN, Unit
from pipeline.results import rows, sealed_text
from pipeline.run.contract import template
from pipeline.study.checked import load
from robustinfo.core.errors import UserError
from robustinfo.core.files import atomic_write, disk_errors


def adopt(unit: Unit, folder: Path, commit: str) -> str:
    """Take over model.safetensors, history.csv and snapshots/ of a run that the commit trained.

    Raises UserError where they are not what the study asks for. What made them is the caller's
    word.
    """
    if unit.is_finished or begun.file(unit).exists():
        raise UserError(
            f"{unit.name} is finished or under way; delete {unit.record} to adopt another"
        )
    commit = checkouts.full(commit)
    study = load(Path(unit.study_file))
    history = _history(folder / "history.csv")
    fitting.check(study, unit, folder, history)
    told = asking.with_study(study, unit.names, "training", checkouts.at(commit))
    with disk_errors(unit.path(RUN)):
        shutil.rmtree(unit.path(RUN), ignore_errors=True)
        shutil.copytree(folder / "snapshots", unit.path(template("snapshots")))
    rows.write(unit.path(template("history")), history)
    date = checkouts.date(commit)
    begun.note(unit, "training", commit=commit, date=date, seconds=0.0, adopted=True, **told)
    with atomic_write(unit.path(template("model"))) as part:
        shutil.copyfile(records.as_trained(folder / "model.safetensors"), part)
    return f"adopted {unit.name}; `make evidence` measures it in its turn"


def remeasure(unit: Unit) -> None:
    """Prepare a finished unit to be measured at now's commit; the runner then finishes it.

    Of a fresh clone, where snapshots are missing, the last one is the network itself, and the
    measures of the others stay those that were committed.
    """
    record, model = records.read(unit), unit.path(template("model"))
    known = record["checkpoint"]["sha256"]
    if model.exists() and records.sha256(records.as_trained(model)) != known:
        raise UserError(f"{model} is not the network of {unit.record}; delete it")
    if not unit.path(
        template("snapshots")
    ).exists():  # the network alone may be here: another needed it
        records.provide(unit, needed_by=unit)
        table = rows.read(unit.record / "rows.csv")
        columns = [*rows.OWN, *rows.VALUE]
        for stage, place in (("train", template("history")), ("measure", EARLIER)):
            rows.write_table(unit.path(place), table.loc[table.stage == stage, columns])
        last = record["scale"]["epochs"]
        with atomic_write(
            unit.path(template("snapshots")) / f"epoch_{last:04}.safetensors"
        ) as part:
            shutil.copyfile(model, part)
    begun.note(unit, "training", **record["training"])
    begun.unpin(unit, "measuring")
    if unit.path(EARLIER).exists():
        known = record["measuring"]
        by = known.get("snapshots_measured_by", known["commit"])
        begun.note(unit, "measuring", snapshots_measured_by=by)


def _history(file: Path) -> list[dict[str, str]]:
    """Its rows; earlier versions had no seal and fewer columns."""
    content = file.read_bytes()
    if content.startswith(sealed_text.SEAL.encode()):
        content = sealed_text.read(file)
    return [*csv.DictReader(io.StringIO(content.decode()))]
