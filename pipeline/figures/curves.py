"""A line per row over numeric columns, with its interval.

With two row columns, the first one makes panels. A hollow marker is saturated: there an estimate
is at its ceiling, and so uninformative.
"""

import pandas as pd
from matplotlib.figure import Figure

from pipeline.figures._canvas import label, legend, limits, panels, styles
from pipeline.results.tables import SEPARATOR
from pipeline.study.target import Target


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
            axis.fill_between(x, line.low, line.high, color=colour, alpha=0.12, lw=0)
        label(axis, target, panel)
        # Two seeds give an interval that would flatten every line: it may leave the panel.
        axis.set_ylim(limits(pd.concat(list(lines.values())).ours))
    legend(figure, axes)
    return figure


def _split(table: pd.DataFrame, split: bool) -> dict[str, dict[str, pd.DataFrame]]:
    """{panel: {row: its cells}}; one panel without a name unless the rows are split."""
    by_panel: dict[str, dict[str, pd.DataFrame]] = {}
    for row, line in table.groupby("row", sort=False):
        panel, _, name = row.partition(SEPARATOR) if split else ("", "", row)
        by_panel.setdefault(panel, {})[name] = line
    return by_panel
