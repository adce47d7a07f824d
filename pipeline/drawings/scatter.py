"""Points in the plane: a panel per kind of set and level, a colour per class of points.

Rows are input / level / layer, a layer reading ``class 2, point 17``; the two columns are x and y.
"""

import pandas as pd
from matplotlib.figure import Figure

from pipeline.drawings._canvas import COLOURS, label, legend, panels
from pipeline.tables import SEPARATOR, Target


def draw(table: pd.DataFrame, target: Target) -> Figure:
    """row: input / level / layer; column: the coordinate; ours: its value."""
    parts = table.row.str.split(SEPARATOR, expand=True, regex=False)
    sets = parts[0] + ", " + parts[1]
    classes = parts[2].str.partition(", ")[0]
    wide = table.assign(set=sets, kind=classes, point=parts[2]).pivot(
        index=["set", "kind", "point"], columns="column", values="ours"
    )
    figure, axes = panels(sets.nunique(), same=True)
    for axis, name in zip(axes, sets.unique(), strict=True):
        for colour, (kind, points) in zip(COLOURS, wide.loc[name].groupby("kind"), strict=False):
            axis.plot(points.x, points.y, "o", ms=2.5, mew=0, color=colour, alpha=0.7, label=kind)
        axis.set_aspect("equal")
        label(axis, target, name)
    legend(figure, axes)
    return figure
