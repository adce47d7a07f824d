"""One file per check of a trained model: the contract of this folder.

A file has all of ``Method``, and any of ``Hooks``. A diagnostic gets all images at once and passes
them through the network in batches. It changes neither the network nor its images.

Fields of ``Config`` that others read: ``examples``, ``after`` and ``other`` (see ``diagnose``);
``norm``, or that of the attack ``adversary``: the norm of OF_RESISTING.
"""

from typing import Protocol

from torch import Generator, Tensor, nn

from robustinfo.core.measurement import Measurement
from robustinfo.core.settings import Outline, Settings


class Method(Protocol):
    """What every file has."""

    Config: type[Settings]

    def outline(self, config: Settings) -> Outline:
        """The names of its rows: ``quantity``, each explained in a line of the docstring."""

    def diagnose(
        self,
        model: nn.Module,
        x: Tensor,
        y: Tensor,
        *,
        config: Settings,
        generator: Generator,
        examples: dict[str, Tensor] | None = None,
        after: dict[str, Tensor] | None = None,
        other: dict[str, Tensor] | None = None,
    ) -> list[Measurement]:
        """Measure a model in eval mode.  x: (n, c, h, w) in [0, 1].  y: (n,) labels.

        examples, after, other: passed where ``Config`` has a field of this name, an attack of the
        study: its stored results on these images: ``x_adv``, ``correct`` and ``success`` (n,)
        bool, ``distance_`` and each norm (n,), and success by other definitions.
        """


class Hooks(Protocol):
    """What a file may have besides; constants with their defaults."""

    READS: str = "images"  # or "texts"
    # Whether it is run only on images that resist every attack on the cross-entropy in its norm;
    # its fractions are then of all images.
    OF_RESISTING: bool = False
    # Whether an evaluation with an undefended twin runs it on the twin, too.
    OF_TWIN: bool = False
