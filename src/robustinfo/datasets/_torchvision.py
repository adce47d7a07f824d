"""torchvision's data sets, read from ``<root>/downloads`` or downloaded there.

The file of such a data set describes it, and gives its line to ``published``.
"""

import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from robustinfo.core.settings import Settings
from robustinfo.datasets._prepared import DataError, RawImages, is_train

DIGITS = "0123456789"


class Config(Settings):
    pass


def published(
    name: str,
    shape: tuple[int, int, int],
    source: str,
    *,
    classes: Sequence[str] | None = None,
    by_name: bool = False,
) -> tuple[Callable[..., tuple[int, int, int]], Callable[..., RawImages]]:
    """``image_shape`` and ``load`` of the contract, for ``torchvision.datasets.<name>``.

    shape: (c, h, w) of every image.  source: its address.  classes: their names, None: those that
    torchvision has.  by_name: whether torchvision takes ``split=`` instead of ``train=``.
    """

    def image_shape(config: Config) -> tuple[int, int, int]:
        """(c, h, w) of every image."""
        return shape

    def load(split: str, *, config: Config, root: Path) -> RawImages:
        """The split as it was published. Raises DataError if it cannot be had."""
        train = is_train(split)
        found = _fetched(name, root, **({"split": split} if by_name else {"train": train}))
        images = np.asarray(found.data)
        if images.ndim == 3:
            images = images[:, None]  # (n, h, w) -> (n, 1, h, w)
        elif images.shape[1:] != shape:
            images = images.transpose(0, 3, 1, 2)  # (n, h, w, c) -> (n, c, h, w)
        labels = np.array(found.labels if by_name else found.targets, dtype=np.int64)
        names = list(found.classes if classes is None else classes)
        return RawImages(images, labels, names, f"torchvision.datasets.{name}, {source}")

    return image_shape, load


def _fetched(name: str, root: Path, **which: bool | str) -> Any:  # noqa: ANN401
    """The data set, its arrays in memory.

    torchvision downloads only what is not there already. Raises DataError if the files are neither
    there nor to be had, or are damaged.
    """
    import torchvision.datasets  # slow, and no stage but `prepare` reads a source

    folder = root / "downloads"
    try:
        return getattr(torchvision.datasets, name)(folder, download=True, **which)
    # torchvision asserts and unpacks where it could say that a file is cut.
    except (OSError, RuntimeError, ValueError, AssertionError, EOFError, tarfile.TarError) as error:
        raise DataError(
            f"{name}: no readable source files in {folder}, and the download failed "
            f"(no network?): {type(error).__name__}: {error}. Next: put the source files into "
            f"{folder}, or set ROBUSTINFO_DATA to a folder that has the data"
        ) from error
