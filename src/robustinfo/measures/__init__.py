"""One file per measure of a representation: the contract of this folder.

A file has all of ``Method``, and of ``Hooks`` what it wants. A measure draws nothing and changes
nothing; the order of the samples does not matter within one of its batches.
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
        """The names of its rows: ``quantity``, with a line on each, and its unit."""

    def estimate(
        self, t: Tensor, y: Tensor, *, config: Settings, x: Tensor | None = None
    ) -> list[Measurement]:
        """Of one layer. t: (n, d) activations.  y: (n,) labels.  x: (n, ...), see SEES_INPUTS.

        Raises ValueError for samples that are too few, or activations that it does not take.
        """


class Hooks(Protocol):
    """What a file may have besides; of a constant, its value where a file has none."""

    READS: str | None = None  # activations are of whatever a network reads
    SEES_INPUTS: bool = False  # whether ``estimate`` is handed the network's inputs as ``x``

    def add(self, sums: object, t: Tensor, *, config: Settings) -> tuple:
        """``estimate`` in parts: what is held of the parts before, None at first, and of t.

        Called for a whole training set (``training_measure``), which takes a measure with it alone.
        """

    def measurements(self, sums: object, *, config: Settings) -> list[Measurement]:
        """What ``estimate`` says of all that was added. It goes with ``add``."""

    def combine(self, layers: dict[str, list[Measurement]]) -> list[Measurement]:
        """Of the whole network, from ``estimate`` of every layer, in order: rows of "network".

        Without it: rows of layers alone.
        """
