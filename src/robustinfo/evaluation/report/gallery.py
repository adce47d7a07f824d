"""The gallery as a figure for a paper: per image the clean one, the change, the adversarial one.

Above stand the image's class and the attack, below what the network takes each image for.
"""

from typing import TYPE_CHECKING

from robustinfo.evaluation.display.saving import STYLE
from robustinfo.evaluation.display.tile import draw
from robustinfo.evaluation.report.attack_words import name
from robustinfo.evaluation.report.figures import COLOURED, INK
from robustinfo.evaluation.report.tiles import Gallery, Tiles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TILE, ACROSS = 0.62, 2  # inches; images side by side
STRIDE, LINE = 3.3, 1.75  # of an image and its names, in tiles
LONGEST = 18  # letters under a tile


def figure(gallery: Gallery, images: list[Tiles]) -> "Figure":
    """The figure of a gallery. images: its tiles."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    across = min(ACROSS, len(images))
    width, height = STRIDE * across, LINE * -(-len(images) // across)
    with mpl.rc_context(STYLE | COLOURED):
        drawn = Figure(figsize=(TILE * width, TILE * height))
        drawn.patch.set_visible(False)
        axis = drawn.add_axes((0, 0, 1, 1))
        axis.set(xlim=(0, width), ylim=(height, 0))
        axis.axis("off")
        for number, image in enumerate(images):
            line, column = divmod(number, across)
            left, top = column * STRIDE + 0.1, line * LINE + 0.4
            for place, tile in enumerate(image):
                draw(axis, left + place, top, tile)
            about = f"{gallery.labels[number]}, {name(gallery.attack[number])}"
            _text(axis, left + 1.5, top - 0.18, about, 2 * LONGEST)
            _text(axis, left + 0.5, top + 1.12, gallery.before[number], LONGEST)
            _text(axis, left + 2.5, top + 1.12, gallery.after[number], LONGEST)
        axis.set(xlim=(0, width), ylim=(height, 0))  # imshow sets them anew
    return drawn


def _text(axis: "Axes", x: float, y: float, text: str, most: int) -> None:
    short = text if len(text) <= most else text[: most - 1] + "…"
    axis.text(x, y, short, color=INK, fontsize=6.5, ha="center", va="center")
