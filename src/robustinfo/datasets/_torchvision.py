"""torchvision's data sets, read from ``<root>/downloads`` or downloaded there."""

import tarfile
from pathlib import Path
from typing import Any

from robustinfo.datasets._prepared import DataError


def fetch(name: str, root: Path, **which: bool | str) -> Any:  # noqa: ANN401
    """``torchvision.datasets.<name>``, its arrays in memory. which: ``train=`` or ``split=``.

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
