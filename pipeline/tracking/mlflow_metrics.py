"""A run's numbers as MLflow's metrics: named by sections, the headline first, at most MOST names.

MLflow's charts have a section for what stands before the last slash, sorted by the alphabet, and a
title of 27 letters: few sections, what is compared in the same one, what tells its charts apart
early in the name. All rows stand in one table beside them (``table``).
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pandas as pd

from pipeline.results import rows
from pipeline.study.quantities import UNION
from robustinfo.core.settings import Norm

MOST = 150  # names of one run: more are no page that one can read
NORMS = get_args(Norm)
HEADLINE = "accuracy"  # the first section: clean and robust accuracy, and after remedies
CLEAN = f"{HEADLINE}/clean"
ROBUST = HEADLINE + "/robust_{norm}"
OTHER = "{entry}/{input}/{layer}.{quantity}"  # of a stage that is not named here
NAMES = {
    "train": "{quantity}",
    "stop_early": "validation/{quantity}/{input}",
    "measure": "{entry}/{input}/{layer}.{quantity}",
    "snapshot": "snapshot/{quantity}/{input}",
    "attack": "{quantity}/{entry}",
    "attack: accuracy": "accuracy_under/{entry}",
    "complexity": "complexity/{entry}/{input}.{quantity}",
    "distort": "distortion/{entry}/{quantity}/{input}",
    "distorted layer": "distortion/{entry}/{quantity}/{input}/{layer}",
    "diagnose": "diagnostics/{entry}/{quantity}",
    "transfer": "{quantity}_from_{input}/{entry}",
    "learn": "learning/{entry}/{input}.{quantity}",
    "remedies": "remedies/{entry}.{quantity}",
    "remedies: accuracy_after_remedies": HEADLINE + "/after_remedies_{entry}",
    "detect": "detection/{input}/{entry}.{quantity}",
    "diagnose clean: accuracy": CLEAN,
    **{f"diagnose {of}": f"checks/{of}.{{quantity}}" for of in (*NORMS, UNION)},
    **{f"diagnose {of}: robust_accuracy": ROBUST.format(norm=of) for of in (*NORMS, UNION)},
    **{f"transfer {of}": f"checks/{of}.{{quantity}}_with_transfers" for of in (*NORMS, UNION)},
    **{
        f"transfer {of}: robust_accuracy": f"{ROBUST.format(norm=of)}_with_transfers"
        for of in (*NORMS, UNION)
    },
}
# First words of sections, in the order in which they take their place among the MOST.
FIRST = (
    HEADLINE, "remedies", "accuracy_under", "attack_success_rate", "checks", "train", "validation",
    "snapshot", "diagnostics", "distortion", "learning", "detection",
)  # fmt: skip
THEN = ("train", "measure", "learn", "detect", "transfer", "complexity", "attack")  # stages


class Point(NamedTuple):
    """One number. step: an epoch or a level. stage: that wrote its row."""

    name: str
    value: float
    step: int
    stage: str


def table(files: Iterable[Path]) -> pd.DataFrame:
    """All rows of a run's tables."""
    tables = [rows.read(file) for file in files if file.suffix == ".csv"]
    none = pd.DataFrame(columns=[*rows.MEASURED_AT, *rows.VALUE])
    return pd.concat([table for table in tables if len(table)] or [none], ignore_index=True)


def points(measured: pd.DataFrame, swept: dict[tuple[str, str], str]) -> list[Point]:
    """Every finite number of a run's rows, but for the points of pictures, as MLflow names it.

    Steps are whole numbers: a sweep with fractions counts in thousandths, as its name shows. swept:
    {(stage, entry): the setting that is swept}.
    """
    shown = measured[~(measured.stage.eq("diagnose") & measured.input.ne(""))]
    fractional = shown[shown.level.astype(float) % 1 > 0]
    fractions = set(zip(fractional.stage, fractional.entry, strict=True))
    found = []
    for row in shown[shown.value.map(math.isfinite)].itertuples():
        sweep, name, step = (row.stage, row.entry), _name(row), 0
        if not math.isnan(row.level):
            scale = 1000 if sweep in fractions else 1
            name += f"_by_{swept.get(sweep, 'level')}" + "_x1000" * (scale == 1000)
            step = round(row.level * scale)
        elif not math.isnan(row.epoch):
            step = int(row.epoch)
        found.append(Point(name, row.value, step, row.stage))
    return found


def select(found: list[Point]) -> list[Point]:
    """The points of at most MOST names: whole sections, the first ones first, those that fit."""
    sections: dict[str, list[Point]] = defaultdict(list)
    for point in found:
        sections[_section(point.name)].append(point)
    selected, left = [], MOST
    for _, of_section in sorted(sections.items(), key=lambda item: _rank(*item)):
        names = {point.name for point in of_section}
        if len(names) <= left:
            selected += sorted(of_section, key=lambda point: (_place(point.name), point.name))
            left -= len(names)
    return selected


def _section(name: str) -> str:
    return name.rpartition("/")[0]


def _rank(section: str, of_section: list[Point]) -> tuple[int, int]:
    first, stage = section.partition("/")[0], of_section[0].stage
    return (
        FIRST.index(first) if first in FIRST else len(FIRST),
        THEN.index(stage) if stage in THEN else len(THEN),
    )


def _place(name: str) -> int:
    """Pages open on the number that was logged first: that of a norm, which is a threat model."""
    headlines = [ROBUST.format(norm=norm) for norm in NORMS]
    return headlines.index(name) if name in headlines else len(headlines)


def _name(row: Any) -> str:  # noqa: ANN401 - a row of itertuples
    kind = f"{row.stage} {row.entry}"
    if row.stage == "measure" and not row.entry:
        kind = "snapshot"
    elif row.stage == "distort" and row.layer:
        kind = "distorted layer"
    exact = [f"{one}: {row.quantity}" for one in (kind, row.stage)]
    template = next((NAMES[one] for one in (*exact, kind, row.stage) if one in NAMES), OTHER)
    name = template.format(entry=row.entry, input=row.input, layer=row.layer, quantity=row.quantity)
    # The whole network is no layer, and a complexity is a mean unless it says more.
    return name.replace("/network.", "/").removesuffix(".mean")
