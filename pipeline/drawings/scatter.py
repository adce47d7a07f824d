"""Points in the plane: a panel per set of them, a colour per class of points.

The last of the names in a row reads ``class 2, point 17``, the others tell the panels apart; the
two columns are x and y. Axes without labels are those of one space, and have one scale.
"""

from itertools import cycle

import pandas as pd
from matplotlib import colormaps
from matplotlib.figure import Figure

from pipeline.drawings._canvas import COLOURS, label, legend, panels
from pipeline.tables import SEPARATOR, Target

FEW, LARGE, SMALL = 200, 6, 2.5  # points; the width of one in points of print


def draw(table: pd.DataFrame, target: Target) -> Figure:
    """row: names / point; column: the coordinate; ours: its value."""
    parts = table.row.str.rpartition(SEPARATOR)
    sets = parts[0].str.replace(SEPARATOR, ", ", regex=False)
    kinds = parts[2].str.partition(", ")[0]
    wide = table.assign(set=sets, kind=kinds, point=parts[2]).pivot(
        index=["set", "kind", "point"], columns="column", values="ours"
    )
    palette = COLOURS if kinds.nunique() <= len(COLOURS) else colormaps["tab20"].colors
    colours = dict(zip(sorted(kinds.unique()), cycle(palette)))
    size = SMALL if len(wide) > FEW else LARGE
    figure, axes = panels(sets.nunique(), same=True)
    for axis, name in zip(axes, sets.unique(), strict=True):
        for kind, points in wide.loc[name].groupby("kind"):
            look = {"ms": size, "mew": 0, "color": colours[kind], "alpha": 0.7}
            axis.plot(points.x, points.y, "o", **look, label=kind)
        if not target.x_label:
            axis.set_aspect("equal")
        label(axis, target, name)
    legend(figure, axes)
    return figure
