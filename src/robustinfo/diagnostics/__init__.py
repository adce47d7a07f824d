"""One file per check of a trained model: the contract of this folder.

A file has all of ``Method``, and of ``Hooks`` what it wants. A diagnostic sees all images at once
and takes them through the network in batches. It changes neither the network nor its images.

Fields of ``Config`` that others read: ``examples``, ``after`` and ``other`` (see ``diagnose``);
``norm``, or that of the attack ``adversary``: whose resisting images OF_RESISTING means.
"""

from typing import Protocol

from torch import Generator, Tensor, nn

from robustinfo.core.measurement import Measurement
from robustinfo.core.settings import Outline, Settings


class Method(Protocol):
    """What every file has."""

    Config: type[Settings]

    def outline(self, config: Settings) -> Outline:
        """What its rows are called: ``quantity``, with a line on each in the docstring."""

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
        """The model in eval mode; x: (n, c, h, w) in [0, 1]; y: (n,) labels.

        examples, after, other: handed on where ``Config`` has a field of this name, an attack of
        the study: what the stage attack stored of these images: ``x_adv``, ``correct``,
        ``success`` (n,) bool, ``distance_l2``, ``distance_linf`` (n,), and other counts of success.
        """


class Hooks(Protocol):
    """What a file may have besides; of a constant, its value where a file has none."""

    READS: str = "images"  # or "texts"
    # Whether it is asked only about images that resist every attack on the cross-entropy in its
    # norm; its fractions are then taken of all.
    OF_RESISTING: bool = False
