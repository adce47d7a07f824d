"""Figures as files: one style, and the same bytes for the same figure. Needs the extra `report`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustinfo.core.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STYLE: dict[Any, Any] = {
    "svg.hashsalt": "robustinfo",  # the same table gives the same bytes
    "svg.fonttype": "none",
    "pdf.fonttype": 42,  # TrueType: publishers refuse Type 3
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "font.size": 9,
    "legend.frameon": False,
    "legend.fontsize": 8,
}
WRITTEN: dict[str, dict[str, Any]] = {
    ".svg": {"metadata": {"Date": None}},
    ".pdf": {"metadata": {"CreationDate": None}},
    ".png": {"dpi": 150},
}


def save(figure: "Figure", *files: Path) -> None:
    """Write .svg, .pdf and .png files, each whole or not at all, without a date in them."""
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        for path in files:
            with atomic_write(path) as partial:
                figure.savefig(partial, format=path.suffix[1:], **WRITTEN[path.suffix])
