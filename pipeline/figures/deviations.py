"""Relative deviations from a truth: a panel per first name of a row, a coloured cell per value.

White is no deviation, blue too low, red too high; beyond half of the truth the colour stays. A
hatched cell is an estimate at its ceiling, which says nothing; a framed one is within 10 %.
"""

import math
from typing import Any

import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pipeline.results.tables import SEPARATOR
from pipeline.study.target import Target

COLOURS, SHADE = colormaps["RdBu_r"], Normalize(-0.5, 0.5)
WIDTH, HEIGHT, LETTER = 0.5, 0.24, 0.075  # of a cell and of a name's letter, in inches
WITHIN = 0.1  # the deviation up to which a cell is framed
DARK = 0.35  # the deviation beyond which a number is white


def draw(table: pd.DataFrame, target: Target) -> Figure:
    """Maps. row: panel / names; ours: (estimate - truth) / truth."""
    parts = table.row.str.partition(SEPARATOR)
    names = parts[2].str.strip(SEPARATOR).str.replace("_", " ")
    cells = table.assign(panel=parts[0], name=names)
    rows, columns, panels = (cells[of].unique() for of in ("name", "column", "panel"))
    left = 1 + LETTER * max(map(len, rows))
    size = (left + WIDTH * len(columns) * len(panels), 1.4 + HEIGHT * len(rows))
    figure = Figure(figsize=size)
    figure.set_layout_engine("constrained")
    axes = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for axis, panel in zip(axes, panels, strict=True):
        axis.set(title=panel, xlim=(0, len(columns)), ylim=(len(rows), 0), xlabel=target.x_label)
        for cell in cells[cells.panel == panel].itertuples():
            place = [*columns].index(cell.column), [*rows].index(cell.name)
            _cell(axis, place, cell.ours, saturated=cell.saturated)
        axis.set_xticks([i + 0.5 for i in range(len(columns))], columns)
        axis.set_yticks([i + 0.5 for i in range(len(rows))], rows)
        axis.tick_params(length=0)
        axis.grid(False)
        axis.spines[:].set_visible(False)
    axes[0].set_ylabel(target.y_label)
    return figure


def _cell(axis: Axes, place: tuple[int, int], value: float, *, saturated: bool) -> None:
    if math.isnan(value):
        return
    x, y = place
    ground: dict[str, Any] = {
        "facecolor": COLOURS(SHADE(value)),
        "alpha": 0.4 if saturated else 1.0,
    }
    axis.add_patch(Rectangle(place, 1, 1, edgecolor="white", **ground))
    if saturated:
        lines: dict[str, Any] = {"hatch": "////", "edgecolor": "0.5", "linewidth": 0.0}
        axis.add_patch(Rectangle(place, 1, 1, fill=False, **lines))
    elif abs(value) <= WITHIN:
        inside = (x + 0.05, y + 0.05)
        axis.add_patch(Rectangle(inside, 0.9, 0.9, fill=False, edgecolor="black", linewidth=1))
    colour = "white" if abs(value) > DARK and not saturated else "black"
    axis.text(x + 0.5, y + 0.5, f"{value:+.2f}", color=colour, ha="center", va="center", fontsize=7)
