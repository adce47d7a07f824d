"""Files that appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from robustinfo.faults import Fault


class DiskError(Fault):
    """A file could not be written; the old one, if there was one, is still whole."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary sibling to write to; it becomes ``path`` at the end, or vanishes on any error.

    One name per path, so that what a killed process left is overwritten by the next one; whoever
    writes holds a lock. Raises DiskError if the disk refuses.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise DiskError(f"cannot write {path}: {error}; free the disk and run again") from error
    finally:
        partial.unlink(missing_ok=True)
