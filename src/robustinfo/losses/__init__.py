"""One file per classification loss: the contract of this folder."""

from typing import Protocol

from torch import Tensor

from robustinfo.core.settings import Settings


class Method(Protocol):
    """What every file has."""

    Config: type[Settings]

    def loss(self, logits: Tensor, y: Tensor, *, config: Settings) -> Tensor:
        """A finite scalar, the mean over the n samples. logits: (n, K), by which it has a slope.

        y: (n,) labels. Nothing is drawn.
        """


class Hooks(Protocol):
    """What a file may have besides: its value where a file has none."""

    READS: str | None = None  # logits are of whatever a network reads
