"""A table or figure of a study: which rows of the results it shows, and the paper's beside ours."""

from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal, Self

import pandas as pd
from pydantic import AfterValidator, Field, model_validator

from pipeline.study import scale
from pipeline.results.untrained import UNTRAINED
from pipeline.study.drawn import misdrawn, unset
from pipeline.study.schema import Column, Where
from pipeline.study.slices import in_setting
from pipeline.results.statistics import chosen, over_seeds
from pipeline.study.strict_yaml import StudyError, read
from robustinfo.core.settings import Settings

SEPARATOR = " / "
CELL = [
    "row", "column", "paper", "ours", "low", "high", "scope", "n", "seeds", "difference",
    "saturated", "smaller",
]  # fmt: skip
NAMES = ("dataset", "model", "defence")  # of a run
CONSTANT = (*NAMES, "stage", "entry", "input")  # all that a scale asks


def _settable(words: str) -> str:
    if problem := unset(words):
        raise ValueError(problem)
    return words


Text = Annotated[str, AfterValidator(_settable)]


class Paper(Settings):
    """Where the published value of a cell stands; ``{defence}`` and the like are the cell's own."""

    file: str  # of studies/references, without .yaml
    key: str  # e.g. "attack_success_rate|{dataset}/{model}|original|{entry}"
    scale: float = 1.0  # 0.01 where the paper prints percent
    names: dict[str, str] = Field(default_factory=dict)  # ours -> the paper's

    @property
    def asks(self) -> set[str]:
        """The columns of a cell that stand in the key."""
        return {name for _, name, _, _ in Formatter().parse(self.key) if name}


class Target(Settings):
    """Rows and columns are columns of the results; the cell is the mean over the seeds."""

    title: Text
    note: str = ""  # what a reader of the numbers has to know
    rows: Annotated[list[Column], Field(min_length=1)]
    columns: Annotated[list[Column], Field(min_length=1)]
    where: Where
    paper: Paper | None = None
    draw: Literal["curves", "heatmap", "plane", "scatter", "surface"] | None = None
    x_label: Text = ""
    x_scale: Literal["linear", "log", "root"] = "linear"
    y_label: Text = ""

    @model_validator(mode="after")
    def it_can_be_drawn(self) -> Self:
        """A study may run for days before its figures are drawn."""
        if problem := misdrawn(self.draw, self.rows, self.columns):
            raise ValueError(problem)
        return self


def tabulate(
    results: pd.DataFrame,
    target: Target,
    references: Path,
    study: dict[str, Any],
    untrained: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The cells: row, column, paper, ours, low, high, scope, n, seeds, difference, saturated,
    smaller.

    low, high: the 95 % interval; scope: what it speaks of (``robustinfo.maths.statistics``): the
    method, its trainings on these images, one network, an exact value, or nothing where no interval
    is known. n: the fewest images behind a value. difference: ours - paper. saturated: whether an
    estimate of any seed sits at its ceiling, where it says nothing. smaller: in what our run is
    smaller than the paper's, where both have a value. study: what it says of the trainings and the
    attacks. untrained: dataset, model, defence of what was not trained; the rows of those that the
    target asks for come last, without a value and with the reason as their scope. Raises StudyError
    if the target selects nothing, or a cell has several values of one seed.
    """
    selected, lacking = chosen(results, target.where), _lacking(untrained, target)
    if selected.empty and not lacking:
        raise StudyError(f"target {target.title!r} selects no result: {target.where}")
    published = read(references / f"{target.paper.file}.yaml")[0] if target.paper else {}
    lines = []
    for key, cell in selected.groupby([*target.rows, *target.columns], sort=False):
        names = dict(zip([*target.rows, *target.columns], map(text, key), strict=True))
        if cell.seed.duplicated().any():
            several = [c for c in Column.__args__ if c != "seed" and cell[c].nunique() > 1]
            raise StudyError(
                f"target {target.title!r}: the cell {' '.join(names.values())} holds several "
                f"{', '.join(several)}; name them in rows, columns or where"
            )
        about = _constant(cell)
        paper = printed(published, target.paper, names | about)
        ours = over_seeds(cell)
        lines.append(
            {
                "row": SEPARATOR.join(names[column] for column in target.rows),
                "column": SEPARATOR.join(names[column] for column in target.columns),
                "paper": paper,
                **ours,
                "difference": None if paper is None else ours["ours"] - paper,
                "saturated": cell.saturated.eq("True").any(),
                "smaller": "" if paper is None else _smaller(study, about, published, ours["n"]),
            }
        )
    columns = [*dict.fromkeys(line["column"] for line in lines)] or [""]
    lines += [
        {"row": row, "column": column, "scope": UNTRAINED, "seeds": 0, "smaller": ""}
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


def text(value: Any) -> str:  # noqa: ANN401
    """A value of a column as cells are named by it."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _constant(cell: pd.DataFrame) -> dict[str, str]:
    """What all rows of the cell share: a reference may be named by it."""
    return {name: str(cell[name].iloc[0]) for name in CONSTANT}


def _smaller(
    study: dict[str, Any], names: dict[str, str], published: dict[str, Any], n: int | None
) -> str:
    """In what the run of a cell is smaller than the paper's; the study check saw its scale."""
    paper = scale.of_paper(published, names["dataset"], names["model"])
    return "" if paper is None else scale.smaller(in_setting(study, names), names, paper, n)


def printed(values: Any, paper: Paper | None, names: dict[str, str]) -> float | None:  # noqa: ANN401
    """The paper's value of a cell, or None where it prints none. values: the reference file's."""
    if paper is None:
        return None
    theirs = {column: paper.names.get(name, name) for column, name in names.items()}
    value = looked_up(values, paper.key, theirs)
    return None if value is None else value * paper.scale


def looked_up(values: Any, key: str, names: dict[str, str]) -> Any:  # noqa: ANN401
    """What stands in a reference file by a key, or None. values: the file's content."""
    for part in key.split("|"):
        values = values.get(part.format(**names)) if isinstance(values, dict) else None
    return values
