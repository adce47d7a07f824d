"""Images of the gallery: clean, changed, and the change between them.

The change is grey where there is none, and black or white where it reaches epsilon. In l2 epsilon
bounds the whole image, so there each change is scaled to its own largest.
"""

import base64
import io
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from robustinfo.core.errors import UserError
from robustinfo.evaluation.report.printable import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from torch import Tensor

    from robustinfo.evaluation.report.schema import Threat

MOST = 12  # images
SIDE = 256  # pixels at most; of larger images every second, third ... is shown


class Gallery(NamedTuple):
    """k <= 12 images before and after an attack."""

    clean: "Tensor"  # (k, c, h, w) in [0, 1]
    adversarial: "Tensor"  # (k, c, h, w) in [0, 1]
    labels: list[str]  # (k,) class names
    before: list[str]  # (k,) what the network took the clean image for
    after: list[str]  # (k,) and the adversarial one
    attack: list[str]  # (k,) whose adversarial image it is


class Tiles(NamedTuple):
    """An image of the gallery, ready to be shown: (h, w) or (h, w, 3) in [0, 1] each."""

    clean: np.ndarray
    change: np.ndarray
    adversarial: np.ndarray


def checked(gallery: Gallery) -> Gallery:
    """The gallery with printable names. Raises UserError if it is not as Gallery says."""
    counts = {field: len(part) for field, part in gallery._asdict().items()}
    if len({*counts.values()}) > 1 or counts["labels"] > MOST:
        raise UserError(f"a gallery has k images, k at most {MOST}, in every part; not {counts}")
    return gallery._replace(
        **{field: printable(list(getattr(gallery, field))) for field in gallery._fields[2:]}
    )


def tiles(gallery: Gallery, threat: "Threat") -> list[Tiles]:
    """The images of a gallery, with their change scaled by the threat model."""
    found = []
    for clean, adversarial in zip(gallery.clean, gallery.adversarial, strict=True):
        before, after = shown(clean), shown(adversarial)
        change = after - before
        largest = threat.epsilon if threat.norm == "linf" else max(np.abs(change).max(), 1e-12)
        found.append(Tiles(before, np.clip(0.5 + change / (2 * largest), 0, 1), after))
    return found


def shown(image: "Tensor") -> np.ndarray:
    """(c, h, w) as (h, w, 3) or, by the mean of its channels where they are no colours, (h, w)."""
    every = -(-max(image.shape[1:]) // SIDE)
    pixels = image.detach().cpu().double().numpy()[:, ::every, ::every]
    return pixels.transpose(1, 2, 0) if len(pixels) == 3 else pixels.mean(0)


def png(tile: np.ndarray) -> str:
    """A tile as a PNG in a data URI."""
    file = io.BytesIO()
    Image.fromarray(np.round(255 * tile).astype(np.uint8)).save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def draw(axis: "Axes", left: float, top: float, tile: np.ndarray) -> None:
    """Draw a tile into a field of 1 x 1, whose upper left corner is (left, top); y points down."""
    place = (left + 0.03, left + 0.97, top + 0.97, top + 0.03)
    axis.imshow(
        tile, extent=place, cmap="gray", vmin=0, vmax=1, interpolation="nearest", aspect="auto"
    )
