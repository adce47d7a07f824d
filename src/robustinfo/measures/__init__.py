"""One file per measure of a representation: the contract of this folder.

A file has all of ``Method``, and any of ``Hooks``. A measure is deterministic and changes nothing;
the order of the samples does not matter within one of its batches.
"""

from typing import Protocol

from torch import Tensor

from robustinfo.core.measurement import Measurement
from robustinfo.core.settings import Outline, Settings


class Method(Protocol):
    """What every file has."""

    Config: type[Settings]
    POINTS: str  # which layers it reads: the network's "probes", "activations" or "logits"

    def outline(self, config: Settings) -> Outline:
        """The names of its rows: ``quantity``, each explained in a line, with its unit."""

    def estimate(
        self, t: Tensor, y: Tensor, *, config: Settings, x: Tensor | None = None
    ) -> list[Measurement]:
        """Measure one layer.  t: (n, d) activations.  y: (n,) labels.  x: (n, ...), SEES_INPUTS.

        Raises ValueError for too few samples, or activations outside its domain.
        """


class Hooks(Protocol):
    """What a file may have besides; constants with their defaults."""

    READS: str | None = None  # a measure reads activations, of images or texts
    SEES_INPUTS: bool = False  # whether ``estimate`` gets the network's inputs as ``x``

    def add(self, sums: object, t: Tensor, *, config: Settings) -> tuple:
        """The sums with a batch t (n, d) added, for ``estimate`` in parts.  sums: None at first.

        Called for a whole training set (``training_measure``), which requires it.
        """

    def measurements(self, sums: object, *, config: Settings) -> list[Measurement]:
        """``estimate`` of all batches that were added. Required with ``add``."""

    def combine(self, layers: dict[str, list[Measurement]]) -> list[Measurement]:
        """Measurements of the whole network from those of every layer, in order: layer "network".

        Default: none.
        """
