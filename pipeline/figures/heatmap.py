"""A coloured cell per row and column, with its number in it: fractions in percent.

Colours run from 0 to 1, or further if values do: figures of fractions share one scale.
"""

import math
from typing import Any

import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from pipeline.results.units import PERCENT
from pipeline.study.target import Target

COLOURS = colormaps["cividis"]
WIDTH, HEIGHT, LETTER = 0.62, 0.36, 0.075  # of a cell and of a name's letter, in inches
LIGHT = 0.45  # from this luminance on, a number is black


def draw(table: pd.DataFrame, target: Target) -> Figure:
    """Heat map. row, column: of the cell; ours: its number. A cell without one stays empty."""
    cells = table.pivot(index="row", columns="column", values="ours")
    cells = cells.loc[table.row.unique(), table.column.unique()]
    left, below = (1 + LETTER * names.str.len().max() for names in (cells.index, cells.columns))
    figure = Figure(figsize=(left + WIDTH * cells.shape[1], below + HEIGHT * cells.shape[0]))
    figure.set_layout_engine("constrained")
    axis = figure.subplots()
    shade = Normalize(min(0.0, table.ours.min()), max(1.0, table.ours.max()))
    axis.pcolormesh(cells.to_numpy(), norm=shade, cmap=COLOURS, edgecolors="white", linewidth=1)
    shown = "{:.1%}" if set(table.unit) == {PERCENT} else "{:.3f}"
    for i, row in enumerate(cells.to_numpy()):
        for j, value in enumerate(row):
            if not math.isnan(value):
                text = shown.format(value).removesuffix(PERCENT)
                _number(axis, (j + 0.5, i + 0.5), text, COLOURS(shade(value)))
    _names(axis, cells)
    axis.set(xlabel=target.x_label, ylabel=target.y_label)
    axis.invert_yaxis()
    axis.grid(False)
    axis.spines[:].set_visible(False)
    return figure


def _number(axis: Axes, place: tuple[float, float], text: str, ground: tuple[float, ...]) -> None:
    red, green, blue, _ = ground
    light = 0.2126 * red + 0.7152 * green + 0.0722 * blue > LIGHT
    colour = "black" if light else "white"
    axis.text(*place, text, color=colour, ha="center", va="center", fontsize=8)


def _names(axis: Axes, cells: pd.DataFrame) -> None:
    tilted: dict[str, Any] = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"}
    for ticks, names, style in (
        (axis.set_xticks, cells.columns, tilted),
        (axis.set_yticks, cells.index, {}),
    ):
        ticks([i + 0.5 for i in range(len(names))], names.str.replace("_", " "), **style)
    axis.tick_params(length=0)
