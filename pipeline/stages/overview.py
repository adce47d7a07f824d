"""Stage overview: the figures that every study has, drawn from the leaderboard's tables.

writes  results/{study}/overview/figures/  .svg and .png: per setting the accuracy under each
                                           attack and by epsilon; information and robustness
"""

from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.figures.drawing import draw
from pipeline.results import rows
from pipeline.results.information_vs_robustness import QUANTITIES
from pipeline.results.tables import SEPARATOR
from pipeline.run.job import Job
from pipeline.stages._overview import ATTACKS, INFORMATION, SETTINGS
from pipeline.study.target import Target
from robustinfo.core.files import disk_errors
from robustinfo.evaluation.display.saving import save

READS = ["accuracy_by_attack", "accuracy_by_epsilon", "information"]
WRITES = {"overview": "overview/figures"}

SETTING = ["dataset", "model"]


def run(job: Job) -> None:
    """Draw accuracy setting by setting, and information measure by measure."""
    folder = job.writes["overview"]
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    figures = {}
    for setting, cells in rows.read(job.file("accuracy_by_attack")).groupby(SETTING, sort=False):
        figures[Path(SETTINGS, *setting, ATTACKS)] = accuracy_heatmap(", ".join(setting), cells)
    for (*setting, curve), lines in rows.read(job.file("accuracy_by_epsilon")).groupby(
        [*SETTING, "curve"], sort=False
    ):
        figures[Path(SETTINGS, *setting, curve)] = epsilon_curves(", ".join(setting), lines)
    for measured, points in rows.read(job.file("information")).groupby(
        ["measure", "quantity"], sort=False
    ):
        figures[Path(INFORMATION, *measured)] = information_scatter(*measured, points)  # type: ignore[call-arg]
    for name, (table, target) in figures.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        save(draw(table, target), file.with_suffix(".svg"), file.with_suffix(".png"))


def accuracy_heatmap(setting: str, cells: pd.DataFrame) -> tuple[pd.DataFrame, Target]:
    """Accuracy of each defence under each attack; an asterisk: outside the threat model."""
    asterisk = cells.counts.map({"True": "", "False": " *"})
    table = _table(cells, cells.defence, cells.attack + asterisk, cells.value)
    return table, _target("heatmap", "entry", f"Accuracy that each attack leaves: {setting}")


def epsilon_curves(setting: str, lines: pd.DataFrame) -> tuple[pd.DataFrame, Target]:
    """Accuracy by epsilon, a line per defence."""
    table = _table(lines, lines.defence, lines.epsilon, lines.value)
    labels = {"x_label": f"epsilon ({lines.norm.iloc[0]})", "y_label": "accuracy"}
    title = f"Accuracy by epsilon: {setting}"
    return table, _target("curves", "level", title, **labels, x_scale="root")


def information_scatter(
    measure: str, quantity: str, points: pd.DataFrame
) -> tuple[pd.DataFrame, Target]:
    """A point per run, a panel per setting, a colour per defence."""
    names = points.dataset + ", " + points.model + SEPARATOR
    names += points.defence + ", seed " + points.seed.astype(str)
    axes = {"x": points.value, "y": points.robust_accuracy}
    table = pd.concat([_table(points, names, name, value) for name, value in axes.items()])
    title = f"Information and robustness of every run ({measure})"
    labels = {"x_label": QUANTITIES[quantity], "y_label": "robust accuracy (union of norms)"}
    return table, _target("scatter", "quantity", title, **labels)


def _table(
    source: pd.DataFrame, row: pd.Series, column: pd.Series | str, value: pd.Series
) -> pd.DataFrame:
    """Table as figures take it, with the source's intervals, if it has any."""
    interval_columns = {name: source[name] for name in ("low", "high") if name in source}
    columns = {"row": row, "column": column, "ours": value, "saturated": False}
    return pd.DataFrame(columns | interval_columns)


def _target(kind: Any, column: Any, title: str, **labels: Any) -> Target:  # noqa: ANN401
    row_columns: list[Any] = ["model", "defence"] if kind == "scatter" else ["defence"]
    return Target(title=title, rows=row_columns, columns=[column], where={}, draw=kind, **labels)
