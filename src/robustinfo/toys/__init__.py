"""One file per computation without data or networks: the contract of this folder."""

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

    def compute(self, *, config: Settings, generator: Generator) -> Iterable[Measurement]:
        """The rows. All random numbers come from the generator, none from torch's global state."""


class Hooks(Protocol):
    """What a file may have besides; constants with their defaults."""

    READS: str | None = None  # it reads nothing
