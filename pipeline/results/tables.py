"""The cells of a table or figure of a study: our values, and the paper's beside them."""

from pathlib import Path
from typing import Any, get_args

import pandas as pd

from pipeline.results.statistics import chosen, over_seeds
from pipeline.results.untrained import UNTRAINED
from pipeline.study import scale
from pipeline.study.schema import Column
from pipeline.study.slices import in_setting
from pipeline.study.strict_yaml import StudyError, read
from pipeline.study.target import Target, printed, text

SEPARATOR = " / "
CELL = [
    "row", "column", "paper", "ours", "low", "high", "scope", "n", "seeds", "difference",
    "saturated", "smaller_than_paper",
]  # fmt: skip
NAMES = ("dataset", "model", "defence")  # of a run
CONSTANT = (*NAMES, "stage", "entry", "input")  # all that a scale asks


def tabulate(
    results: pd.DataFrame,
    target: Target,
    references: Path,
    study: dict[str, Any],
    untrained: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The cells: row, column, paper, ours, low, high, scope, n, seeds, difference, saturated,
    smaller_than_paper.

    low, high: the 95 % interval; scope: what it speaks of (``robustinfo.maths.statistics``): the
    method, its trainings on these images, one network, an exact value, or nothing where no interval
    is known. n: the fewest images behind a value. difference: ours - paper. saturated: whether an
    estimate of any seed sits at its ceiling, where it says nothing. smaller_than_paper: in what
    our run is smaller than the paper's, where both have a value. study: what it says of the
    trainings and the attacks. untrained: dataset, model, defence of what was not trained; the rows
    of those that the target asks for come last, without a value and with the reason as their scope.
    Raises StudyError if the target selects nothing, or a cell has several values of one seed.
    """
    selected, lacking = chosen(results, target.where), _lacking(untrained, target)
    if selected.empty and not lacking:
        raise StudyError(f"target {target.title!r} selects no result: {target.where}")
    published = read(references / f"{target.paper.file}.yaml")[0] if target.paper else {}
    lines = []
    for key, cell in selected.groupby([*target.rows, *target.columns], sort=False):
        names = dict(zip([*target.rows, *target.columns], map(text, key), strict=True))
        if cell.seed.duplicated().any():
            several = [c for c in get_args(Column) if c != "seed" and cell[c].nunique() > 1]
            raise StudyError(
                f"target {target.title!r}: the cell {' '.join(names.values())} holds several "
                f"{', '.join(several)}; name them in rows, columns or where"
            )
        about = _constant(cell)
        paper = printed(published, target.paper, names | about)
        ours = over_seeds(cell)
        less = "" if paper is None else _smaller(study, about, published, ours["n"])
        lines.append(
            {
                "row": SEPARATOR.join(names[column] for column in target.rows),
                "column": SEPARATOR.join(names[column] for column in target.columns),
                "paper": paper,
                **ours,
                "difference": None if paper is None else ours["ours"] - paper,
                "saturated": cell.saturated.eq("True").any(),
                "smaller_than_paper": less,
            }
        )
    columns = [*dict.fromkeys(line["column"] for line in lines)] or [""]
    lines += [
        {"row": row, "column": column, "scope": UNTRAINED, "seeds": 0, "smaller_than_paper": ""}
        for row in lacking
        for column in columns
    ]
    return pd.DataFrame(lines, columns=CELL)


def _lacking(untrained: pd.DataFrame | None, target: Target) -> list[str]:
    """The rows of what the target asks for and was not trained, named as far as its runs go."""
    if untrained is None:
        return []
    asked = {column: target.where[column] for column in NAMES if column in target.where}
    shown = [column for column in target.rows if column in NAMES] or ["defence"]
    found = chosen(untrained, asked)[shown].drop_duplicates()
    return [SEPARATOR.join(names) for names in found.itertuples(index=False)]


def _constant(cell: pd.DataFrame) -> dict[str, str]:
    """What all rows of the cell share: a reference may be named by it."""
    return {name: str(cell[name].iloc[0]) for name in CONSTANT}


def _smaller(
    study: dict[str, Any], names: dict[str, str], published: dict[str, Any], n: int | None
) -> str:
    """In what the run of a cell is smaller than the paper's; the study check saw its scale."""
    paper = scale.of_paper(published, names["dataset"], names["model"])
    return "" if paper is None else scale.smaller(in_setting(study, names), names, paper, n)
