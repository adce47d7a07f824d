"""Kinds of figures: one file per kind; the contract of this folder.

gallery.py draws images beside a table, and the stage of its name alone calls it.
"""

from typing import Protocol

import pandas as pd
from matplotlib.figure import Figure

from pipeline.study.target import Target


class Method(Protocol):
    """Interface of every file."""

    def draw(self, table: pd.DataFrame, target: Target) -> Figure:
        """Draw the table as it is: nothing is computed, and it is not changed.

        table: at least one line, of the cell ``row`` and ``column`` (the values of the target's
        columns, joined by SEPARATOR) with ``ours``, its interval ``low`` to ``high``, its ``unit``,
        and whether the value is ``saturated``; curves also read the number of ``seeds`` and ours
        ``by_seed``.
        """
