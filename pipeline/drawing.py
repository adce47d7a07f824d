"""Figures: how a table of the study is drawn. Nothing is computed here.

Colours are the Okabe-Ito set, which stays apart in print and for colour-blind eyes; markers
differ as well.
"""

from itertools import cycle
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.tables import SEPARATOR, Target
from robustinfo.files import whole

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442"]
MARKERS = "osD^vP*X"
STYLE = {
    "svg.hashsalt": "robustinfo",  # the same table gives the same bytes
    "svg.fonttype": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "font.size": 9,
    "legend.frameon": False,
    "legend.fontsize": 8,
}


def draw(table: pd.DataFrame, target: Target) -> Figure:
    """The figure of a table, by the drawing that the target names."""
    with mpl.rc_context(STYLE):
        figure = {"curves": curves, "plane": plane}[target.draw](table, target)
        figure.suptitle(target.title, fontsize=10)
    return figure


def save(figure: Figure, svg: Path, png: Path) -> None:
    """Write both files, each whole or not at all, without a date in them."""
    with mpl.rc_context(STYLE):
        for path, options in {svg: {"metadata": {"Date": None}}, png: {"dpi": 150}}.items():
            with whole(path) as partial:
                figure.savefig(partial, format=path.suffix[1:], **options)


def curves(table: pd.DataFrame, target: Target) -> Figure:
    """A line per row over numeric columns, with its interval.

    With two row columns, the first one makes panels.
    """
    panels = _panels(table, len(target.rows) > 1)
    names = list(dict.fromkeys(name for lines in panels.values() for name in lines))
    styles = dict(zip(names, zip(cycle(COLOURS), cycle(MARKERS)), strict=False))
    figure, axes = _axes(len(panels))
    for axis, (panel, lines) in zip(axes, panels.items(), strict=True):
        for name, line in lines.items():
            colour, marker = styles[name]
            x = line.column.astype(float)
            axis.plot(x, line.ours, color=colour, marker=marker, ms=4, lw=1.3, label=name)
            axis.fill_between(x, line.low, line.high, color=colour, alpha=0.12, lw=0)
        _label(axis, target, panel)
        # Two seeds give an interval that would flatten every line: it may leave the panel.
        values = pd.concat(list(lines.values())).ours
        room = 0.15 * (values.max() - values.min() or 1)
        axis.set_ylim(values.min() - room, values.max() + room)
    _legend(figure, axes)
    return figure


def plane(table: pd.DataFrame, target: Target) -> Figure:
    """The information plane: a panel per defence, a path per input and layer, darker as it trains.

    Rows are defence / input / layer / epoch, the two columns are x and y. A hollow marker is
    saturated: there the estimate sits at its ceiling and says nothing.
    """
    quantities = list(table.column.unique())
    parts = table.row.str.split(SEPARATOR, expand=True, regex=False)
    keys = ["defence", "input", "layer", "epoch"]
    points = table.assign(**dict(zip(keys, parts.T.to_numpy(), strict=True)))
    points["epoch"] = points.epoch.astype(float)
    where = points.pivot(index=keys, columns="column", values="ours").reset_index()
    full = points.groupby(keys).saturated.any().reset_index()
    points = where.merge(full, on=keys)
    defences, layers = parts[0].unique(), list(parts[2].unique())
    figure, axes = _axes(len(defences), same=True)
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
        _label(axis, target, defence)
    _legend(figure, axes)
    return figure


def _panels(table: pd.DataFrame, split: bool) -> dict[str, dict[str, pd.DataFrame]]:
    """{panel: {row: its lines}}; one nameless panel unless the rows are split."""
    found: dict[str, dict[str, pd.DataFrame]] = {}
    for row, line in table.groupby("row", sort=False):
        panel, _, name = row.partition(SEPARATOR) if split else ("", "", row)
        found.setdefault(panel, {})[name] = line
    return found


def _axes(count: int, *, same: bool = False) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(1.2 + 3.4 * min(count, 2) + 2.0, 3.4 * ((count + 1) // 2)))
    figure.set_layout_engine("constrained")
    grid = figure.subplots(
        (count + 1) // 2, min(count, 2), squeeze=False, sharex=same, sharey=same
    ).ravel()
    for unused in grid[count:]:
        unused.set_visible(False)
    return figure, list(grid[:count])


def _label(axis: Axes, target: Target, panel: str) -> None:
    axis.set_xlabel(target.x_label)
    axis.set_ylabel(target.y_label)
    axis.set_title(panel.replace("_", " "), fontsize=9)


def _legend(figure: Figure, axes: list[Axes]) -> None:
    """One legend for all panels, each name once."""
    known = {}
    for axis in axes:
        for handle, name in zip(*axis.get_legend_handles_labels(), strict=True):
            known.setdefault(name, handle)
    figure.legend(list(known.values()), list(known), loc="outside right center")
