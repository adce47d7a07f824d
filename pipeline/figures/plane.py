"""The information plane: a panel per layer and defence, a path per input, coloured by epoch.

Rows are defence / input / layer / epoch, the two columns are x and y. A hollow marker is
saturated: there the estimate is at its ceiling, and so uninformative. A layer whose estimates are
all saturated is named and not drawn.
"""

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from pipeline.figures._canvas import label, legend, limits, styles
from pipeline.results.tables import SEPARATOR
from pipeline.study.target import Target

EPOCHS = mpl.colormaps["viridis"]
SIDE = 2.1  # inches of a panel


def draw(table: pd.DataFrame, target: Target) -> Figure:
    """Paths. row: defence / input / layer / epoch; column: the quantity; ours: x or y."""
    points, (x, y) = _points(table)
    full = points.groupby("layer", sort=False).saturated.all()
    layers, defences = [*full.index[~full]], [*points.defence.unique()]
    if not layers:
        return _only_words(full.index)
    figure = Figure(figsize=(1.2 + SIDE * len(defences), 1.0 + SIDE * len(layers)))
    figure.set_layout_engine("constrained")
    axes = figure.subplots(len(layers), len(defences), squeeze=False, sharex="row", sharey="row")
    style, shade = styles(points.input), Normalize(points.epoch.min(), points.epoch.max())
    for line, layer in zip(axes, layers, strict=True):
        of_layer = points[points.layer == layer]
        for axis, defence in zip(line, defences, strict=True):
            for name, path in of_layer[of_layer.defence == defence].groupby("input", sort=False):
                _path(axis, path.sort_values("epoch"), (x, y), name, style[name], shade)
            label(axis, target, f"{layer}, {defence}")
            axis.label_outer()
        line[0].set_xlim(limits(of_layer[x]))
        line[0].set_ylim(limits(of_layer[y]))
    figure.colorbar(ScalarMappable(shade, EPOCHS), ax=axes, label="epoch", aspect=40)
    legend(figure, [*axes.ravel()])
    if full.any():
        left_out = f"not drawn, at their ceiling throughout: {', '.join(full.index[full])}"
        figure.legends[0].set_title(left_out)
    return figure


def _path(
    axis: Axes,
    path: pd.DataFrame,
    names: tuple[str, str],
    name: str,
    style: tuple[str, str],
    shade: Normalize,
) -> None:
    (colour, marker), (x, y) = style, names
    axis.plot(path[x], path[y], marker, ls="-", lw=0.8, color=colour, ms=4, label=name)
    faces = [
        "white" if full else EPOCHS(shade(epoch))
        for epoch, full in zip(path.epoch, path.saturated, strict=True)
    ]
    axis.scatter(path[x], path[y], s=22, c=faces, marker=marker, edgecolors=colour, zorder=3)


def _only_words(layers: pd.Index) -> Figure:
    figure = Figure(figsize=(6.6, 1.4))
    text = f"Nothing to draw: every estimate is at its ceiling ({', '.join(layers)})"
    figure.text(0.5, 0.3, text, ha="center", fontsize=8, wrap=True)
    return figure


def _points(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """A row per point, in the order of the layers: defence, input, layer, epoch, quantities."""
    quantities = list(table.column.unique())
    names = ["defence", "input", "layer", "epoch"]
    parts = table.row.str.split(SEPARATOR, expand=True, regex=False)
    points = table.assign(**{name: parts[place] for place, name in enumerate(names)})
    points["epoch"] = points.epoch.astype(float)
    is_saturated = points.groupby(names, sort=False).saturated.any()
    values = points.pivot(index=names, columns="column", values="ours")
    return is_saturated.to_frame().join(values).reset_index(), quantities
