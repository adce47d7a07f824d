"""Images before and after an attack: a row per defence, three tiles per image.

The tiles are the clean image, the adversarial one, and the change, grey where there is none: in
l-infinity black and white are a change by epsilon, else by the image's own largest.
Above is the image's class, below the predicted class; one that the attack changed is vermilion.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from robustinfo.core.settings import Norm
from robustinfo.evaluation.display.numbers import pixels
from robustinfo.evaluation.display.tile import change as change_of
from robustinfo.evaluation.display.tile import draw as draw_tile
from robustinfo.evaluation.display.tile import shown

TILE = 0.62  # inches
# Heights of a row and of the head, space between images, room for names, in tiles.
LINE, HEAD, GAP, NAME = 1.3, 0.75, 0.25, 1.6
INK, SOFT, TURNED = "black", "#5c6b7a", "#b34e00"  # vermilion, dark enough for small letters


def draw(
    table: pd.DataFrame, x: Tensor, x_adv: Mapping[str, Tensor], norm: Norm, epsilon: float
) -> Figure:
    """Gallery of images. table: defence, label, before, after, success, a line per image, in order.

    x: (k, c, h, w) in [0, 1]. x_adv: the same of every defence. norm, epsilon: of the attack.
    """
    width, height = NAME + len(x) * (3 + GAP), HEAD + len(x_adv) * LINE
    figure = Figure(figsize=(TILE * width, TILE * height))
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set(xlim=(0, width), ylim=(height, 0))
    axis.axis("off")
    for number, label in enumerate(table.label.head(len(x))):
        _text(axis, _tile_left(number, 1), 0.2, label, INK, fontweight="bold")
        for part, name in enumerate(_parts(norm, epsilon)):
            _text(axis, _tile_left(number, part), 0.55, name, SOFT)
    for line, (defence, lines) in enumerate(table.groupby("defence", sort=False)):
        top = HEAD + line * LINE
        axis.text(0.1, top + 0.5, defence.replace("_", "\n"), fontsize=8, va="center")
        for number, cell in enumerate(lines.itertuples()):
            before, after = shown(x[number]), shown(x_adv[defence][number])
            tiles = before, after, change_of(before, after, norm, epsilon)
            for part, tile in enumerate(tiles):
                draw_tile(axis, _tile_left(number, part), top, tile)
            was_right = cell.before == cell.label
            unchanged_text = "resists" if was_right else ""  # what was wrong is not attacked
            _text(
                axis,
                _tile_left(number, 0),
                top + 1.1,
                cell.before + " (wrong)" * (not was_right),
                INK,
            )
            below, colour = (cell.after, TURNED) if cell.success else (unchanged_text, SOFT)
            _text(axis, _tile_left(number, 1), top + 1.1, below, colour)
    return figure


def _parts(norm: Norm, epsilon: float) -> tuple[str, str, str]:
    """What stands above the three tiles of an image."""
    return "clean", "adversarial", f"±{pixels(epsilon)}" if norm == "linf" else "change"


def _tile_left(number: int, part: int) -> float:
    return NAME + number * (3 + GAP) + part


def _text(axis: Axes, left: float, y: float, text: str, colour: str, **look: Any) -> None:  # noqa: ANN401
    """Add text, centred on a tile."""
    axis.text(left + 0.5, y, text, color=colour, fontsize=6.5, ha="center", va="center", **look)
