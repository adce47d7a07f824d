"""The information plane: a panel per defence, a path per input and layer, darker as it trains.

Rows are defence / input / layer / epoch, the two columns are x and y. A hollow marker is
saturated: there the estimate sits at its ceiling and says nothing.
"""

from itertools import cycle

import pandas as pd
from matplotlib.figure import Figure

from pipeline.drawings._canvas import COLOURS, MARKERS, label, legend, panels
from pipeline.tables import SEPARATOR, Target


def draw(table: pd.DataFrame, target: Target) -> Figure:
    """row: defence / input / layer / epoch; column: the quantity; ours: x or y."""
    quantities = list(table.column.unique())
    parts = table.row.str.split(SEPARATOR, expand=True, regex=False)
    keys = ["defence", "input", "layer", "epoch"]
    points = table.assign(**dict(zip(keys, parts.T.to_numpy(), strict=True)))
    points["epoch"] = points.epoch.astype(float)
    where = points.pivot(index=keys, columns="column", values="ours").reset_index()
    full = points.groupby(keys).saturated.any().reset_index()
    points = where.merge(full, on=keys)
    defences, layers = parts[0].unique(), list(parts[2].unique())
    figure, axes = panels(len(defences), same=True)
    styles = dict(zip(points.input.unique(), cycle(["-", ":"]), strict=False))
    for axis, defence in zip(axes, defences, strict=True):
        for (source, layer), path in points[points.defence == defence].groupby(["input", "layer"]):
            path = path.sort_values("epoch")
            number = layers.index(layer)
            colour, marker = COLOURS[number % 8], MARKERS[number % 8]
            x, y = (path[q] for q in quantities)
            axis.plot(x, y, styles[source], color=colour, lw=1, label=f"{layer}, {source}")
            shade = 0.25 + 0.75 * path.epoch / points.epoch.max()
            for a, b, alpha, saturated in zip(x, y, shade, path.saturated, strict=True):
                face = "white" if saturated else colour
                axis.plot(a, b, marker, ms=5, mfc=face, mec=colour, alpha=alpha)
        label(axis, target, defence)
    legend(figure, axes)
    return figure
