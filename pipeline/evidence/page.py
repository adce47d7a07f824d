"""Page of the evidence, from the plan and the committed records alone: finished units, their
commits and scale, and the files that have changed in meaning since.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.evidence import coverage, fingerprint, plan, records, steps
from pipeline.evidence.units import RECORD, RECORDS, Unit
from pipeline.run import meaning
from pipeline.study.checked import load
from robustinfo.core.errors import UserError
from robustinfo.core.files import atomic_write

FILE = RECORDS / "README.md"
NAMED = 3  # changed files that a line names
HEAD = """# Evidence

Made by `python -m pipeline evidence page`; a test holds all but *older than*, which is of the day
it was made, against the records. `make evidence`
works at the list in [plan.yaml](plan.yaml), one unit after the other, and `make evidence-status`
says how far it is.

A unit is one defence and seed of one setting. Its folder holds `rows.csv` (every table of the run),
`outcomes.csv` (per entry, one bit per test image in hexadecimal digits), `unit.json` (commits,
dates, sha256) and, while all networks stay within 6 MB, `model.safetensors`. *Adopted* is a network
that was there before the list: its commit and its date are what whoever adopted it says, and its
files agree with the study in defence, shapes and epochs. No unit is ever made again
because code has changed: *older than* names the files whose meaning (their syntax without comments
and docstrings) is another now than at the commit that trained or measured it, and says where the
study now asks for something else. `python -m pipeline evidence remeasure UNIT` measures a network
again.
"""
COLUMNS = [
    "unit", "trained by", "measured by", "training images", "epochs", "test images",
    "core hours", "network", "older than",
]  # fmt: skip


def write() -> None:
    """Write the page, and the coverage page, which counts finished units."""
    for file, make in ((FILE, text), (coverage.FILE, coverage.page)):
        content = make()
        with atomic_write(file) as partial:
            partial.write_text(content, encoding="utf-8")


def text() -> str:
    """The page as Markdown. Raises AlteredFileError for an altered record."""
    units = plan.units()
    listed = {unit.record for unit in units}
    for file in sorted(RECORDS.rglob(RECORD)):
        if file.parent not in listed and file.parent.name != "unfinished":
            raise UserError(
                f"{file.parent} is of no unit in {plan.FILE}; list it or delete the folder"
            )
    parts = [HEAD]
    study = partial(_load_once, {})
    for name, item in plan.items().items():
        item_units = [unit for unit in units if unit.item == name]
        finished = [unit for unit in item_units if unit.is_finished]
        waiting = sum(unit.hours for unit in item_units if not unit.is_finished)
        parts.append(f"\n## {name}\n\n{item.because}\n")
        sentence = f"{len(finished)} of {len(item_units)} units are finished"
        parts.append(
            sentence + (f", about {waiting:.1f} core hours are left.\n" if waiting else ".\n")
        )
        if finished:
            lines = [COLUMNS, ["---"] * len(COLUMNS)]
            lines += [_line(unit, records.read(unit), study(unit.study_file)) for unit in finished]
            parts.append("\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines))
    return "".join(parts)


def _load_once(cache: dict[str, Any], file: str) -> dict[str, Any]:
    if file not in cache:
        cache[file] = load(Path(file))
    return cache[file]


def _line(unit: Unit, record: dict[str, Any], study: dict[str, Any]) -> list[str]:
    scale, network = record["scale"], record["checkpoint"]
    hours = sum(record[half]["seconds"] for half in steps.HALVES) / 3600
    images, test_images = (_count_text(scale[name]) for name in fingerprint.SCALE)
    commits = [f"{record[half]['commit'][:10]} ({record[half]['date']})" for half in steps.HALVES]
    adopted = record["training"].get("adopted", False)
    commits[0] += ", adopted" * adopted
    if measured_by := record["measuring"].get("snapshots_measured_by"):
        commits[-1] += f"; earlier snapshots by {measured_by[:10]}"
    network_text = "kept" if network["committed"] else f"{network['bytes'] / 1e6:.1f} MB, not kept"
    return [
        f"[{unit.name}]({unit.name})",
        *commits,
        images,
        str(scale["epochs"]),
        test_images,
        f"{hours:.2f}" + " (measuring only)" * adopted,
        f"{network_text}, `{network['sha256'][:12]}`",
        "; ".join(_changed_since(unit, record, study)) or "nothing",
    ]


def _count_text(images: Any) -> str:  # noqa: ANN401 - a number, or None
    return "all" if images is None else f"{images:,}"


def _changed_since(unit: Unit, record: dict[str, Any], study: dict[str, Any]) -> Iterator[str]:
    for half in steps.HALVES:
        recorded = record[half]
        current = fingerprint.of_study(study, unit.names, half, Path())
        files = sorted(meaning.changed(recorded["meaning"], current["meaning"]), key=_is_pipeline)
        shown = files[:NAMED] + ([f"{len(files) - NAMED} more"] if len(files) > NAMED else [])
        changes = ["the study"] if recorded["asked"] != current["asked"] else []
        if changes or files:
            yield f"{half}: {', '.join([*changes, *shown])}"


def _is_pipeline(file: str) -> bool:
    """Sort key that puts files of the pipeline after those of the package."""
    return not file.startswith("src/robustinfo/")
