"""Shared parts of figures: panels, labels, one legend, and a style per name.

Colours are the Okabe-Ito set, which stays apart in print and for colour-blind eyes; markers
differ as well.
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from pipeline.results.units import PERCENT
from pipeline.study.target import Target
from robustinfo.evaluation.display.numbers import SPACE

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442"]
MARKERS = "osD^vP*X"
LETTER = 0.075  # inches of a letter in the legend
MIN_ROOM = 1e-2  # room around equal values, as a share of them


def panels(count: int, *, same: bool = False) -> tuple[Figure, list[Axes]]:
    """Figure and ``count`` panels, two in a row. same: panels share their limits."""
    figure = Figure(figsize=(1.2 + 3.4 * min(count, 2), 0.8 + 3.4 * ((count + 1) // 2)))
    figure.set_layout_engine("constrained")
    grid = figure.subplots(
        (count + 1) // 2, min(count, 2), squeeze=False, sharex=same, sharey=same
    ).ravel()
    for unused in grid[count:]:
        unused.set_visible(False)
    return figure, list(grid[:count])


def styles(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """{name: (colour, marker)} in order; the first 64 names have distinct pairs."""
    distinct = [*dict.fromkeys(names)]
    indices = [divmod(number, len(COLOURS)) for number in range(len(distinct))]
    pairs = [(COLOURS[i], MARKERS[(i + turn) % len(MARKERS)]) for turn, i in indices]
    return dict(zip(distinct, pairs, strict=True))


def label(axis: Axes, target: Target, panel: str) -> None:
    """Set the labels of the axes, the scale of x, and the panel's title."""
    axis.set_xlabel(target.x_label)
    if target.x_scale == "root":  # room for what is small, and a place for 0
        axis.set_xscale("function", functions=(_root, lambda x: x * np.abs(x)))
    else:
        axis.set_xscale(target.x_scale)
    if target.x_scale != "log":
        axis.locator_params(axis="x", nbins=6)
    axis.set_ylabel(target.y_label)
    axis.set_title(panel.replace("_", " "), fontsize=9)


def as_percent(axis: Axes, units: Iterable[str]) -> None:
    """Print y in percent, if that is the unit of all its values."""
    if {*units} == {PERCENT}:
        axis.yaxis.set_major_formatter(PercentFormatter(1, decimals=None, symbol=f"{SPACE}%"))


def _root(x: np.ndarray) -> np.ndarray:
    return np.sign(x) * np.sqrt(np.abs(x))


def limits(values: Iterable[float]) -> tuple[float, float]:
    """(low, high) limits of an axis with a margin; never so close that rounding shows."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(finite), max(finite)
    room = max(0.1 * (high - low), MIN_ROOM * max(abs(low), abs(high), MIN_ROOM))
    return low - room, high + room


def legend(figure: Figure, axes: list[Axes]) -> None:
    """Add one legend for all panels, each name once."""
    handles: dict[str, Any] = {}
    for axis in axes:
        for handle, name in zip(*axis.get_legend_handles_labels(), strict=True):
            handles.setdefault(name, handle)
    across = max(1, int(figure.get_figwidth() / (LETTER * max(map(len, handles), default=1) + 0.6)))
    figure.legend(
        list(handles.values()), list(handles), loc="outside lower center", ncols=min(across, 4)
    )
