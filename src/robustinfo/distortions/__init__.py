"""One file per distortion of images: the contract of this folder. A distortion sees no network."""

from typing import Protocol

from torch import Generator, Tensor

from robustinfo.core.settings import Settings


class Method(Protocol):
    """What every file has."""

    Config: type[Settings]

    def distort(self, x: Tensor, *, config: Settings, generator: Generator) -> Tensor:
        """Like x in shape, dtype and device, in [0, 1]. x: (n, c, h, w) in [0, 1], left alone.

        The generator alone decides; torch's global random numbers are left alone.
        """


class Hooks(Protocol):
    """What a file may have besides: its value where a file has none."""

    READS: str = "images"
