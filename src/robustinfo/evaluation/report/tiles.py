"""Images of the gallery: clean, changed, and the change between them.

The change is grey where there is none, and black or white where it reaches epsilon. In l2 and l1
epsilon bounds the whole image, so there each change is scaled to its own largest.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from robustinfo.core.errors import UserError
from robustinfo.evaluation.display.tile import change, shown
from robustinfo.evaluation.report.printable import printable

if TYPE_CHECKING:
    from torch import Tensor

    from robustinfo.evaluation.report.schema import Threat

MOST = 12  # images


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
        changed = change(before, after, threat.norm, threat.epsilon)
        found.append(Tiles(before, changed, after))
    return found
