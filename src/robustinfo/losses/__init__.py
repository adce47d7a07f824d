"""One file per classification loss: the contract of this folder."""

from typing import Protocol

from torch import Tensor

from robustinfo.core.settings import Settings


class Method(Protocol):
    """What every file has."""

    Config: type[Settings]

    def loss(self, logits: Tensor, y: Tensor, *, config: Settings) -> Tensor:
        """The mean loss over the n samples, a finite, deterministic scalar.

        logits: (n, K), by which it is differentiable.  y: (n,) labels.
        """


class Hooks(Protocol):
    """What a file may have besides; constants with their defaults."""

    READS: str | None = None  # a loss reads logits, of images or texts
