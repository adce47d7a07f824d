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
        """The names of its rows: ``quantity``, with a line on each in the docstring."""

    def compute(self, *, config: Settings, generator: Generator) -> Iterable[Measurement]:
        """The generator alone decides; torch's global random numbers are left alone."""


class Hooks(Protocol):
    """What a file may have besides: its value where a file has none."""

    READS: str | None = None  # it reads nothing
