"""Figures: how a table of the study becomes a file. Nothing is computed here."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from pipeline.figures import curves, heatmap, plane, scatter, surface
from pipeline.study.target import Target
from robustinfo.core.files import whole

DRAWINGS = {
    "curves": curves.draw,
    "heatmap": heatmap.draw,
    "plane": plane.draw,
    "scatter": scatter.draw,
    "surface": surface.draw,
}
STYLE: dict[Any, Any] = {
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
WRITTEN: dict[str, dict[str, Any]] = {".svg": {"metadata": {"Date": None}}, ".png": {"dpi": 150}}


def draw(table: pd.DataFrame, target: Target, note: str = "") -> Figure:
    """The figure of a table, by the drawing that the target names; without a line, no axes.

    note: what stands under the title, lines that each end.
    """
    with mpl.rc_context(STYLE):
        figure = (
            DRAWINGS[str(target.draw)](table, target) if len(table) else Figure(figsize=(6.6, 1.2))
        )
        figure.suptitle(f"{target.title}\n{note}".rstrip(), fontsize=10)
    return figure


def save(figure: Figure, *files: Path) -> None:
    """Write .svg and .png files, each whole or not at all, without a date in them."""
    with mpl.rc_context(STYLE):
        for path in files:
            with whole(path) as partial:
                figure.savefig(partial, format=path.suffix[1:], **WRITTEN[path.suffix])
