"""A line per row over numeric columns, with its interval, or with thin lines of fewer than 3 seeds.

The interval of two trainings is so wide that it hides every line.

With two row columns, the first one makes panels. A hollow marker is saturated: there an estimate
is at its ceiling, and so uninformative.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures._canvas import as_percent, label, legend, limits, panels, styles
from pipeline.results.tables import SEPARATOR
from pipeline.study.target import Target

MIN_SEEDS = 3  # for an interval over trainings to be drawn


def draw(table: pd.DataFrame, target: Target) -> Figure:
    """Lines and their intervals. row: the line; column: x; ours, low and high: y."""
    split = _split(table, len(target.rows) > 1)
    style = styles(name for lines in split.values() for name in lines)
    figure, axes = panels(len(split))
    for axis, (panel, lines) in zip(axes, split.items(), strict=True):
        for name, line in lines.items():
            colour, marker = style[name]
            x = line.column.astype(float)
            axis.plot(x, line.ours, color=colour, marker=marker, ms=4, lw=1.3, label=name)
            full = line[line.saturated]
            axis.scatter(
                full.column.astype(float), full.ours, s=16, c="white", marker=marker,
                edgecolors=colour, zorder=3,
            )  # fmt: skip
            if line.seeds.max() == 1 or line.seeds.max() >= MIN_SEEDS:
                axis.fill_between(x, line.low, line.high, color=colour, alpha=0.12, lw=0)
            else:
                _thin_lines(axis, x, line.by_seed, colour)
        label(axis, target, panel)
        shown = pd.concat(list(lines.values()))
        # An interval that would flatten every line may leave the panel.
        axis.set_ylim(limits([*shown.ours, *_of_seeds(shown.by_seed).ravel()]))
        as_percent(axis, shown.unit)
    legend(figure, axes)
    return figure


def _thin_lines(axis: Axes, x: pd.Series, by_seed: pd.Series, colour: str) -> None:
    for seed in _of_seeds(by_seed).T:
        axis.plot(x, seed, color=colour, lw=0.6, alpha=0.7)


def _of_seeds(by_seed: pd.Series) -> np.ndarray:
    """(points, seeds) of the texts; NaN where a point has fewer seeds than another."""
    values = by_seed.str.split(" ", expand=True)
    return values.apply(pd.to_numeric, errors="coerce").to_numpy(float)


def _split(table: pd.DataFrame, split: bool) -> dict[str, dict[str, pd.DataFrame]]:
    """{panel: {row: its cells}}; one panel without a name unless the rows are split."""
    by_panel: dict[str, dict[str, pd.DataFrame]] = {}
    for row, line in table.groupby("row", sort=False):
        panel, _, name = row.partition(SEPARATOR) if split else ("", "", row)
        by_panel.setdefault(panel, {})[name] = line
    return by_panel
