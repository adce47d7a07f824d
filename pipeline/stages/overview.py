"""Stage overview: the figures that every study has, drawn from the leaderboard's tables.

writes  results/{study}/overview/figures/  .svg, .png and .pdf: per setting the accuracy under
                                           each attack and by epsilon; information and robustness,
                                           of measures with an estimate that may be believed
"""

from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.figures.drawing import draw
from pipeline.results import rows
from pipeline.results.information_vs_robustness import QUANTITIES
from pipeline.results.tables import SEPARATOR
from pipeline.results.units import PERCENT
from pipeline.run.job import Job
from pipeline.stages._overview import ATTACKS, INFORMATION, SETTINGS
from pipeline.study.target import Target
from robustinfo.core.files import disk_errors
from robustinfo.evaluation.display.norms import NORMS
from robustinfo.evaluation.display.numbers import pixels
from robustinfo.evaluation.display.saving import save

READS = ["accuracy_by_attack", "accuracy_by_epsilon", "information"]
WRITES = {"overview": "overview/figures"}

SETTING = ["dataset", "model"]
FORMS = (".svg", ".png", ".pdf")


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
    information = rows.read(job.file("information"))
    believed = information[information.believable.eq("True")]
    for measured, points in believed.groupby(["measure", "quantity"], sort=False):
        figures[Path(INFORMATION, *measured)] = information_scatter(*measured, points)  # type: ignore[call-arg]
    for name, (table, target) in figures.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        save(draw(table, target), *(file.with_suffix(form) for form in FORMS))


def accuracy_heatmap(setting: str, cells: pd.DataFrame) -> tuple[pd.DataFrame, Target]:
    """Accuracy of each defence under each attack; an asterisk: outside the threat model."""
    ordered = by_strength(cells)
    table = _table(ordered, _attack_names(ordered), ordered.defence, ordered.value)
    return table, _target("heatmap", "entry", f"Accuracy in % that each attack leaves: {setting}")


def by_strength(cells: pd.DataFrame) -> pd.DataFrame:
    """The accuracies norm by norm, in each the attack first that leaves most, over all defences."""
    norms = [*cells.norm.unique()]
    return (
        cells.assign(place=cells.norm.map(norms.index))
        .assign(left=-cells.groupby("attack").value.transform("mean"))
        .sort_values(["place", "left"], kind="stable")
    )


def _attack_names(cells: pd.DataFrame) -> list[str]:
    """``linf_pgd, L∞ 0.15``: attacks with their threat models, as far as they have any."""
    names = []
    for cell in cells.itertuples():
        symbol = NORMS[cell.norm].symbol if cell.norm in NORMS else ""  # type: ignore[index]
        size = "" if pd.isna(cell.epsilon) else f" {pixels(cell.epsilon)}"
        ball = f", {symbol}{size}" * bool(symbol)
        names.append(f"{cell.attack}{ball}{' *' * (cell.counts == 'False')}")
    return names


def epsilon_curves(setting: str, lines: pd.DataFrame) -> tuple[pd.DataFrame, Target]:
    """Accuracy by epsilon, a line per defence."""
    seeds = {name: lines[name] for name in ("seeds", "by_seed")}
    table = _table(lines, lines.defence, lines.epsilon, lines.value).assign(**seeds)
    symbol = NORMS[lines.norm.iloc[0]].symbol
    labels = {"x_label": f"epsilon in {symbol}, pixel values in [0, 1]", "y_label": "accuracy"}
    title = f"Accuracy by epsilon: {setting}"
    return table, _target("curves", "level", title, **labels, x_scale="root")


def information_scatter(
    measure: str, quantity: str, points: pd.DataFrame
) -> tuple[pd.DataFrame, Target]:
    """A point per run whose estimate may be believed, a panel per setting, a colour per defence."""
    names = points.dataset + ", " + points.model + SEPARATOR
    names += points.defence + ", seed " + points.seed.astype(str)
    axes = {"x": points.value, "y": points.robust_accuracy}
    table = pd.concat([_table(points, names, name, value) for name, value in axes.items()])
    table["unit"] = table.column.map({"x": "", "y": PERCENT})
    title = f"Information and robustness of every run ({measure})"
    labels = {"x_label": QUANTITIES[quantity], "y_label": "robust accuracy (union of norms)"}
    return table, _target("scatter", "quantity", title, **labels)


def _table(
    source: pd.DataFrame, row: pd.Series | list[str], column: pd.Series | str, value: pd.Series
) -> pd.DataFrame:
    """Table of fractions as figures take it, with the source's intervals, if it has any."""
    interval_columns = {name: source[name] for name in ("low", "high") if name in source}
    columns = {"row": row, "column": column, "ours": value, "saturated": False, "unit": PERCENT}
    return pd.DataFrame(columns | interval_columns)


def _target(kind: Any, column: Any, title: str, **labels: Any) -> Target:  # noqa: ANN401
    row_columns: list[Any] = ["model", "defence"] if kind == "scatter" else ["defence"]
    return Target(title=title, rows=row_columns, columns=[column], where={}, draw=kind, **labels)
