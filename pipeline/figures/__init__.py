"""How a table is drawn: one file per drawing; the contract of this folder.

gallery.py draws images beside a table, and the stage of its name alone calls it.
"""

from typing import Protocol

import pandas as pd
from matplotlib.figure import Figure

from pipeline.study.target import Target


class Method(Protocol):
    """What every file has."""

    def draw(self, table: pd.DataFrame, target: Target) -> Figure:
        """Nothing is computed, and the table stays as it is.

        table: at least one line, of the cell ``row`` and ``column`` (the values of the target's
        columns, joined by SEPARATOR) with ``ours``, its interval ``low`` to ``high``, and whether
        the value is ``saturated``.
        """
