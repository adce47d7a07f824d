"""One file per complexity of an image or a text: the contract of this folder.

A file has all of ``Method``, and any of ``Hooks``. Every image is measured by itself: its value
does not depend on the others. Nothing is changed, and nothing is random.
"""

from typing import Protocol

from torch import Tensor

from robustinfo.core.settings import Settings


class Method(Protocol):
    """What every file has."""

    Config: type[Settings]

    def measure(self, images: Tensor, *, config: Settings) -> Tensor:
        """The complexity of each image, (n,) float64, least for a blank one; units are in the file.

        images: (n, c, h, w) uint8; of a file that reads texts, ``texts``, a list of str.
        """


class Hooks(Protocol):
    """What a file may have besides; constants with their defaults."""

    READS: str = "images"  # or "texts"
    UNIT: str = ""  # of the values, as tables print it

    def surrogate(self, x: Tensor, *, config: Settings) -> Tensor:
        """A differentiable stand-in for ``measure``, (n,), which an attacker minimises.

        x: (n, c, h, w) floats in [0, 1]. Required by attacks/detector_aware_pgd.py.
        """
