"""A surface over two directions: a panel per surface, colours for height, contours for shape.

The last of the names in a row is the step along the vertical direction, the column that along the
horizontal one; the other names name the panel. All panels share their colours, contours are
each panel's own. Where heights have both signs, a thick line is at 0: of margins, the boundary. The
cross is where neither step is taken.
"""

import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from pipeline.figures._canvas import label, panels
from pipeline.results.tables import SEPARATOR
from pipeline.study.target import Target

COLOURS, LINES = "viridis", 8
SPARE = 1.5  # inches of the room that panels leave for a legend


def draw(table: pd.DataFrame, target: Target) -> Figure:
    """Surfaces. row: names and y; column: x; ours: the height."""
    surfaces = _surfaces(table)
    figure, axes = panels(len(surfaces), same=True)
    figure.set_figwidth(figure.get_figwidth() - SPARE)
    shade = Normalize(table.ours.min(), table.ours.max())
    for axis, (name, heights) in zip(axes, surfaces.items(), strict=True):
        place = (heights.columns, heights.index, heights)
        axis.pcolormesh(*place, norm=shade, cmap=COLOURS, shading="nearest")
        # A plane has no contours, and matplotlib warns of it.
        if heights.min(axis=None) < heights.max(axis=None):
            axis.contour(*place, LINES, colors="white", linewidths=0.5, linestyles="solid")
        if heights.min(axis=None) < 0 < heights.max(axis=None):
            axis.contour(*place, [0], colors="black", linewidths=1.5)
        axis.plot(0, 0, "+", color="white")
        label(axis, target, name)
        axis.set_aspect("equal")
        axis.grid(False)
    figure.colorbar(ScalarMappable(shade, COLOURS), ax=axes, aspect=40)
    return figure


def _surfaces(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """{panel: its heights}, y by x, both rising."""
    parts = table.row.str.rpartition(SEPARATOR)
    names = parts[0].str.replace(SEPARATOR, ", ", regex=False)
    places = table.assign(panel=names, y=parts[2].astype(float), x=table.column.astype(float))
    return {
        name: panel_cells.pivot(index="y", columns="x", values="ours")
        for name, panel_cells in places.groupby("panel", sort=False)
    }
