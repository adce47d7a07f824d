"""One file per way of learning from the images of a run: the contract of this folder.

Fields of ``Config`` that others read: ``attacks``, entries of the study whose images are sets
beside the clean ones, and with it ``images``, the first so many that each set holds (None: all).
"""

from collections.abc import Iterable
from typing import Protocol

from torch import Generator

from robustinfo.core.measurement import Measurement
from robustinfo.core.settings import Outline, Settings


class Method(Protocol):
    """What every file has."""

    Config: type[Settings]

    def outline(self, config: Settings) -> Outline:
        """The names of its rows: ``quantity``, each explained in a line of the docstring."""

    def learn(
        self, task: object, *, config: Settings, generator: Generator
    ) -> Iterable[Measurement]:
        """Train copies of a Task's network (_task.py) and measure them; the task is not changed.

        All random numbers come from the generator, none from torch's global state.
        """


class Hooks(Protocol):
    """What a file may have besides; constants with their defaults."""

    READS: str = "images"  # or "texts"
