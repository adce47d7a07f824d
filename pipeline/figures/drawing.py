"""Drawing of a study's tables as figures. Nothing is computed here."""

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from pipeline.figures import curves, deviations, heatmap, plane, scatter, surface
from pipeline.study.target import Target
from robustinfo.evaluation.display.saving import STYLE

DRAWINGS = {
    "curves": curves.draw,
    "deviations": deviations.draw,
    "heatmap": heatmap.draw,
    "plane": plane.draw,
    "scatter": scatter.draw,
    "surface": surface.draw,
}


def draw(table: pd.DataFrame, target: Target, note: str = "") -> Figure:
    """The figure of a table, by the drawing that the target names; without a line, no axes.

    note: lines under the title, each with its line break.
    """
    with mpl.rc_context(STYLE):
        figure = (
            DRAWINGS[str(target.draw)](table, target) if len(table) else Figure(figsize=(6.6, 1.2))
        )
        figure.suptitle(f"{target.title}\n{note}".rstrip(), fontsize=10)
    return figure
