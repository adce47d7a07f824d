"""Figures as files: one style, and the same bytes for the same figure."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from robustinfo.core.files import atomic_write

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


def save(figure: Figure, *files: Path) -> None:
    """Write .svg and .png files, each whole or not at all, without a date in them."""
    with mpl.rc_context(STYLE):
        for path in files:
            with atomic_write(path) as partial:
                figure.savefig(partial, format=path.suffix[1:], **WRITTEN[path.suffix])
