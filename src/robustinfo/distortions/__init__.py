"""One file per distortion of images: the contract of this folder. A distortion sees no network."""

from typing import Protocol

from torch import Generator, Tensor

from robustinfo.core.settings import Settings


class Method(Protocol):
    """What every file has."""

    Config: type[Settings]

    def distort(self, x: Tensor, *, config: Settings, generator: Generator) -> Tensor:
        """The distorted images, like x, in [0, 1].  x: (n, c, h, w) in [0, 1], not changed.

        All random numbers come from the generator, none from torch's global state.
        """


class Hooks(Protocol):
    """What a file may have besides; constants with their defaults."""

    READS: str = "images"
