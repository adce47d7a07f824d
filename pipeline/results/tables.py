"""The cells of a table or figure of a study: our values, and the paper's beside them."""

from pathlib import Path
from typing import Any, get_args

import pandas as pd

from pipeline.results import units
from pipeline.results.statistics import over_seeds, select_rows
from pipeline.results.untrained import UNTRAINED
from pipeline.study import scale
from pipeline.study.schema import Column
from pipeline.study.slices import in_setting
from pipeline.study.strict_yaml import StudyError, read
from pipeline.study.target import Target, cell_text, paper_value

SEPARATOR = " / "
CELL = [
    "row", "column", "paper", "ours", "low", "high", "unit", "scope", "n", "seeds", "by_seed",
    "difference", "saturated", "smaller_than_paper",
]  # fmt: skip
NAMES = ("dataset", "model", "defence")  # of a run
CONSTANT = (*NAMES, "stage", "entry", "input")  # columns that a scale depends on


def tabulate(
    results: pd.DataFrame,
    target: Target,
    references: Path,
    study: dict[str, Any],
    untrained: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The cells: row, column, paper, ours, low, high, unit, scope, n, seeds, by_seed, difference,
    saturated, smaller_than_paper.

    low, high: the 95 % interval; unit: of ours and the paper's (``units``); by_seed: ours, seed by
    seed; scope: what it generalises to (``robustinfo.maths.statistics``):
    the method, its trainings on these images, one network, an exact value, or nothing where no
    interval is known. n: the fewest images behind a value. difference: ours - paper. saturated:
    whether an estimate of any seed is at its ceiling, and so uninformative. smaller_than_paper: how
    our run is smaller than the paper's, where both have a value. study: its trainings and attacks.
    untrained: dataset, model, defence of the runs that were not trained; rows of those that the
    target selects come last, without a value, with the reason as their scope. Raises StudyError if
    the target selects nothing, or a cell has several values of one seed.
    """
    selected, untrained_rows = (
        select_rows(results, target.where),
        _untrained_rows(untrained, target),
    )
    if selected.empty and not untrained_rows:
        raise StudyError(f"target {target.title!r} selects no result: {target.where}")
    published = read(references / f"{target.paper.file}.yaml")[0] if target.paper else {}
    cells = []
    for key, cell in selected.groupby([*target.rows, *target.columns], sort=False):
        names = dict(zip([*target.rows, *target.columns], map(cell_text, key), strict=True))
        if cell.seed.duplicated().any():
            several = [c for c in get_args(Column) if c != "seed" and cell[c].nunique() > 1]
            raise StudyError(
                f"target {target.title!r}: the cell {' '.join(names.values())} holds several "
                f"{', '.join(several)}; name them in rows, columns or where"
            )
        origin = _origin(cell)
        paper = paper_value(published, target.paper, names | origin)
        estimated = over_seeds(cell)
        reductions = "" if paper is None else _reductions(study, origin, published, estimated["n"])
        cells.append(
            {
                "row": SEPARATOR.join(names[column] for column in target.rows),
                "column": SEPARATOR.join(names[column] for column in target.columns),
                "paper": paper,
                **estimated,
                "unit": units.of_cell(cell, study.get("complexities", {})),
                "difference": None if paper is None else estimated["ours"] - paper,
                "saturated": cell.saturated.eq("True").any(),
                "smaller_than_paper": reductions,
            }
        )
    columns = [*dict.fromkeys(line["column"] for line in cells)] or [""]
    cells += [
        {"row": row, "column": column, "scope": UNTRAINED, "seeds": 0, "smaller_than_paper": ""}
        for row in untrained_rows
        for column in columns
    ]
    return pd.DataFrame(cells, columns=CELL)


def _untrained_rows(untrained: pd.DataFrame | None, target: Target) -> list[str]:
    """Names of the rows of untrained runs that the target selects."""
    if untrained is None:
        return []
    where = {column: target.where[column] for column in NAMES if column in target.where}
    shown = [column for column in target.rows if column in NAMES] or ["defence"]
    runs = select_rows(untrained, where)[shown].drop_duplicates()
    return [SEPARATOR.join(names) for names in runs.itertuples(index=False)]


def _origin(cell: pd.DataFrame) -> dict[str, str]:
    """Columns that all rows of the cell share, for keys of references."""
    return {name: str(cell[name].iloc[0]) for name in CONSTANT}


def _reductions(
    study: dict[str, Any], names: dict[str, str], published: dict[str, Any], n: int | None
) -> str:
    """How the run of a cell is smaller than the paper's (``scale.smaller_than_paper``)."""
    paper = scale.of_paper(published, names["dataset"], names["model"])
    return (
        "" if paper is None else scale.smaller_than_paper(in_setting(study, names), names, paper, n)
    )
