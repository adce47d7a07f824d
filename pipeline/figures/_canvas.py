"""What drawings share: panels, their labels, one legend, and how names are told apart.

Colours are the Okabe-Ito set, which stays apart in print and for colour-blind eyes; markers
differ as well.
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.study.target import Target

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442"]
MARKERS = "osD^vP*X"
LEAST = 1e-2  # room around equal values, as a share of them


def panels(count: int, *, same: bool = False) -> tuple[Figure, list[Axes]]:
    """So many panels, two in a row; with the ``same`` limits, if asked for."""
    figure = Figure(figsize=(1.2 + 3.4 * min(count, 2) + 2.0, 3.4 * ((count + 1) // 2)))
    figure.set_layout_engine("constrained")
    grid = figure.subplots(
        (count + 1) // 2, min(count, 2), squeeze=False, sharex=same, sharey=same
    ).ravel()
    for unused in grid[count:]:
        unused.set_visible(False)
    return figure, list(grid[:count])


def styles(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """A colour and a marker for every name, in order, each name once; 64 pairs differ."""
    once = [*dict.fromkeys(names)]
    turns = [divmod(number, len(COLOURS)) for number in range(len(once))]
    pairs = [(COLOURS[i], MARKERS[(i + turn) % len(MARKERS)]) for turn, i in turns]
    return dict(zip(once, pairs, strict=True))


def label(axis: Axes, target: Target, panel: str) -> None:
    """The names of the axes, the scale of x, and the panel's name."""
    axis.set_xlabel(target.x_label)
    if target.x_scale == "root":  # room for what is small, and a place for 0
        axis.set_xscale("function", functions=(_root, lambda x: x * np.abs(x)))
    else:
        axis.set_xscale(target.x_scale)
    if target.x_scale != "log":
        axis.locator_params(axis="x", nbins=6)
    axis.set_ylabel(target.y_label)
    axis.set_title(panel.replace("_", " "), fontsize=9)


def _root(x: np.ndarray) -> np.ndarray:
    return np.sign(x) * np.sqrt(np.abs(x))


def limits(values: Iterable[float]) -> tuple[float, float]:
    """An axis for the values with room around; never so short that it shows rounding."""
    known = [value for value in values if math.isfinite(value)]
    low, high = min(known), max(known)
    room = max(0.1 * (high - low), LEAST * max(abs(low), abs(high), LEAST))
    return low - room, high + room


def legend(figure: Figure, used: list[Axes]) -> None:
    """One legend for all panels, each name once."""
    known: dict[str, Any] = {}
    for axis in used:
        for handle, name in zip(*axis.get_legend_handles_labels(), strict=True):
            known.setdefault(name, handle)
    figure.legend(list(known.values()), list(known), loc="outside right center")
