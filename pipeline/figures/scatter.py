"""Points in the plane: a panel per set of them, a colour per class of points.

The last of the names in a row reads ``class 2, point 17``, the others name the panel; the
two columns are x and y. Axes without labels are those of one space, and have one scale.
"""

from itertools import cycle

import pandas as pd
from matplotlib import colormaps
from matplotlib.figure import Figure

from pipeline.figures._canvas import COLOURS, as_percent, label, legend, panels, styles
from pipeline.results.tables import SEPARATOR
from pipeline.study.target import Target

MAX_LARGE_POINTS = 200  # points, up to which they are large and have markers, too


def draw(table: pd.DataFrame, target: Target) -> Figure:
    """Points. row: names / point; column: the coordinate; ours: its value."""
    parts = table.row.str.rpartition(SEPARATOR)
    sets = parts[0].str.replace(SEPARATOR, ", ", regex=False)
    kinds = parts[2].str.partition(", ")[0]
    wide = table.assign(set=sets, kind=kinds, point=parts[2]).pivot(
        index=["set", "kind", "point"], columns="column", values="ours"
    )
    kind_styles = _dot_styles(kinds) if len(wide) > MAX_LARGE_POINTS else _marker_styles(kinds)
    figure, axes = panels(sets.nunique(), same=True)
    for axis, name in zip(axes, sets.unique(), strict=True):
        for kind, points in wide.loc[name].groupby("kind"):
            axis.plot(points.x, points.y, **kind_styles[kind], ls="", mew=0, alpha=0.7, label=kind)
        if not target.x_label:
            axis.set_aspect("equal")
        label(axis, target, name)
        as_percent(axis, table.unit[table.column == "y"])
    legend(figure, axes)
    return figure


def _dot_styles(kinds: pd.Series) -> dict[str, dict]:
    palette = COLOURS if kinds.nunique() <= len(COLOURS) else colormaps["tab20"].colors  # type: ignore[attr-defined]
    pairs = zip(sorted(kinds.unique()), cycle(palette), strict=False)
    return {kind: {"color": colour, "marker": "o", "ms": 2.5} for kind, colour in pairs}


def _marker_styles(kinds: pd.Series) -> dict[str, dict]:
    """{kind: style}, the same as for lines of these names."""
    pairs = styles(kinds).items()
    return {kind: {"color": colour, "marker": marker, "ms": 6} for kind, (colour, marker) in pairs}
