"""One file per data set: the contract of this folder.

A file has all of ``Method``, and any of ``Hooks``. Only the stage prepare reads a source; all other
stages read the files that it wrote (_prepared.py).
"""

from pathlib import Path
from typing import Protocol

from robustinfo.core.settings import Settings


class Method(Protocol):
    """What every file has."""

    Config: type[Settings]

    def load(self, split: str, *, config: Settings, root: Path) -> tuple:
        """RawImages, or RawTexts, of the split "train" or "test": the same at every call.

        Images are uint8 (n, c, h, w), words int32 (n, length), labels int64 (n,) in 0..K-1 for K
        ``classes``. root: the folder of all data sets, where a source may be kept. Raises
        ValueError for another split, DataError where the source is missing or damaged.
        """


class Hooks(Protocol):
    """What a file may have besides; constants with their defaults."""

    READS: str = "images"  # or "texts"

    def image_shape(self, config: Settings) -> tuple[int, int, int]:
        """(c, h, w) of every image, before any is read.

        Called when a study is checked, for sizes in l2. Default: no check, as for texts.
        """
