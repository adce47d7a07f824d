"""TEMPLATE: a bar per row and column of the table.

Write here how yours is read. Nothing is computed in this file; what rows and columns must be stands
in pipeline/study/plot_kinds.py.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipeline.study.target import Target


def draw(table: pd.DataFrame, target: Target) -> Figure:
    """row, column: the names of a bar; ours: its length."""
    figure = Figure(figsize=(6.6, 1.2 + 0.2 * len(table)), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(table))
    axes.barh(places, table.ours)
    axes.set_yticks(places, table.row + ", " + table.column)
    axes.set_xlabel(target.x_label)
    return figure
