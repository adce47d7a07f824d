"""A table or figure of a study: the rows that it shows, and the place of the paper's values."""

from string import Formatter
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from pipeline.study.plot_kinds import mathtext_problem, plot_problem
from pipeline.study.schema import Column, Where
from robustinfo.core.settings import Settings


def _check_mathtext(words: str) -> str:
    if problem := mathtext_problem(words):
        raise ValueError(problem)
    return words


Text = Annotated[str, AfterValidator(_check_mathtext)]


class Paper(Settings):
    """Place of the published value of a cell; ``{defence}`` and the like are the cell's own."""

    file: str  # of studies/references, without .yaml
    # the keys of that file down to the value, e.g. "success_rate|{dataset}/{model}|{entry}"
    key: str
    scale: float = 1.0  # 0.01 where the paper prints percent
    names: dict[str, str] = Field(default_factory=dict)  # ours: the paper's

    @property
    def key_columns(self) -> set[str]:
        """Columns of a cell that stand in the key."""
        return {name for _, name, _, _ in Formatter().parse(self.key) if name}


class Target(Settings):
    """Rows and columns are columns of the results; the cell is the mean over the seeds."""

    title: Text  # above it
    note: str = ""  # what a reader of the numbers has to know
    rows: Annotated[list[Column], Field(min_length=1)]  # columns of the results that name a row
    # columns of the results that name a column; of a curve, epoch or level
    columns: Annotated[list[Column], Field(min_length=1)]
    where: Where  # which rows of the results it shows
    paper: Paper | None = None  # where the paper's values of the cells stand
    # how a figure is drawn; a table has none
    draw: Literal["curves", "deviations", "heatmap", "plane", "scatter", "surface"] | None = None
    x_label: Text = ""  # of the axis; formulas stand between dollar signs
    x_scale: Literal["linear", "log", "root"] = "linear"  # of the axis
    y_label: Text = ""  # of the axis; formulas stand between dollar signs

    @model_validator(mode="after")
    def it_can_be_drawn(self) -> Self:
        """Check the layout now: a study may run for days before its figures are drawn."""
        if problem := plot_problem(self.draw, self.rows, self.columns):
            raise ValueError(problem)
        return self


def cell_text(value: Any) -> str:  # noqa: ANN401
    """Text of a column's value, as in the names of cells."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def paper_value(values: Any, paper: Paper | None, names: dict[str, str]) -> float | None:  # noqa: ANN401
    """The paper's value of a cell, or None where it prints none. values: of the reference file."""
    if paper is None:
        return None
    paper_names = {column: paper.names.get(name, name) for column, name in names.items()}
    value = reference_value(values, paper.key, paper_names)
    return None if value is None else value * paper.scale


def reference_value(values: Any, key: str, names: dict[str, str]) -> Any:  # noqa: ANN401
    """Content of a reference file under a key, or None. values: the whole content."""
    for level in key.split("|"):
        values = values.get(level.format(**names)) if isinstance(values, dict) else None
    return values
