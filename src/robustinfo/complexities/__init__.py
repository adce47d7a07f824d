"""One file per complexity of an image or a text: the contract of this folder.

A file has all of ``Method``, and of ``Hooks`` what it wants. Every image is measured by itself:
what it gets does not depend on the others, and nothing is changed or drawn.
"""

from typing import Protocol

from torch import Tensor

from robustinfo.core.settings import Settings


class Method(Protocol):
    """What every file has."""

    Config: type[Settings]

    def measure(self, images: Tensor, *, config: Settings) -> Tensor:
        """(n,) float64, one number per image, least for a blank one; its unit is in the file.

        images: (n, c, h, w) uint8; of a file that reads texts, ``texts``, a list of str.
        """


class Hooks(Protocol):
    """What a file may have besides; of a constant, its value where a file has none."""

    READS: str = "images"  # or "texts"

    def surrogate(self, x: Tensor, *, config: Settings) -> Tensor:
        """(n,): a differentiable stand-in for ``measure``, which an attacker lowers.

        x: (n, c, h, w) floats in [0, 1]. Called by
        attacks/detector_aware_pgd.py, which without it refuses.
        """
