"""The information plane: a panel per layer, a path per defence and input, coloured by epoch.

Rows are defence / input / layer / epoch, the two columns are x and y. A hollow marker is
saturated: there the estimate is at its ceiling, and so uninformative.
"""

import matplotlib as mpl
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from pipeline.figures._canvas import label, legend, limits, panels, styles
from pipeline.results.tables import SEPARATOR
from pipeline.study.target import Target

EPOCHS = mpl.colormaps["viridis"]


def draw(table: pd.DataFrame, target: Target) -> Figure:
    """Paths. row: defence / input / layer / epoch; column: the quantity; ours: x or y."""
    points, (x, y) = _points(table)
    layers = points.layer.unique()
    figure, axes = panels(len(layers))
    style = styles(points.path)
    shade = Normalize(points.epoch.min(), points.epoch.max())
    for axis, layer in zip(axes, layers, strict=True):
        layer_points = points[points.layer == layer]
        for name, path in layer_points.groupby("path", sort=False):
            path = path.sort_values("epoch")
            colour, marker = style[name]
            axis.plot(path[x], path[y], marker, ls="-", lw=0.8, color=colour, ms=4, label=name)
            faces = [
                "white" if full else EPOCHS(shade(epoch))
                for epoch, full in zip(path.epoch, path.saturated, strict=True)
            ]
            axis.scatter(
                path[x], path[y], s=22, c=faces, marker=marker, edgecolors=colour, zorder=3
            )
        label(axis, target, layer)
        axis.set_xlim(limits(layer_points[x]))
        axis.set_ylim(limits(layer_points[y]))
    figure.colorbar(ScalarMappable(shade, EPOCHS), ax=axes, label="epoch", aspect=40)
    legend(figure, axes)
    return figure


def _points(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """One row per point, in the order of the layers: path, layer, epoch, both quantities."""
    quantities = list(table.column.unique())
    parts = table.row.str.split(SEPARATOR, expand=True, regex=False)
    points = table.assign(path=parts[0] + ", " + parts[1], layer=parts[2])
    points["epoch"] = parts[3].astype(float)
    grouped = points.groupby(["path", "layer", "epoch"], sort=False)
    is_saturated = grouped.saturated.any()
    values = points.pivot(index=["path", "layer", "epoch"], columns="column", values="ours")
    return is_saturated.to_frame().join(values).reset_index(), quantities
