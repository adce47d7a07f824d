"""An image as a tile of a figure or of a page."""

import base64
import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from torch import Tensor

SIDE = 256  # pixels at most; of larger images every second, third ... is shown


def shown(image: "Tensor") -> np.ndarray:
    """(c, h, w) as (h, w, 3) or, by the mean of its channels where they are no colours, (h, w)."""
    every = -(-max(image.shape[1:]) // SIDE)
    pixels = image.detach().cpu().double().numpy()[:, ::every, ::every]
    return pixels.transpose(1, 2, 0) if len(pixels) == 3 else pixels.mean(0)


def change(before: np.ndarray, after: np.ndarray, norm: str, epsilon: float) -> np.ndarray:
    """The change of an image as a tile: grey where there is none.

    In l-infinity black and white are a change by epsilon; in the other norms, where epsilon bounds
    the whole image, by the image's own largest.
    """
    changed = after - before
    largest = epsilon if norm == "linf" else max(np.abs(changed).max(), 1e-12)
    return np.clip(0.5 + changed / (2 * largest), 0, 1)


def png(tile: np.ndarray) -> str:
    """A tile, (h, w) or (h, w, 3) in [0, 1], as a PNG in a data URI."""
    file = io.BytesIO()
    Image.fromarray(np.round(255 * tile).astype(np.uint8)).save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def draw(axis: "Axes", left: float, top: float, tile: np.ndarray) -> None:
    """Draw a tile into a field of 1 x 1, whose upper left corner is (left, top); y points down."""
    place = (left + 0.03, left + 0.97, top + 0.97, top + 0.03)
    axis.imshow(
        tile, extent=place, cmap="gray", vmin=0, vmax=1, interpolation="nearest", aspect="auto"
    )
