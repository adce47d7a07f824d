"""Atomic writing: a file appears whole or not at all."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from robustinfo.core.errors import UserError


class DiskError(UserError):
    """A file could not be written; the old one, if there was one, is still whole."""


class AlteredFileError(UserError):
    """A file that is missing, truncated, or not as it was written."""


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn an OSError while ``path``, a file or a folder, is written into a DiskError."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        remedy = "free the disk" if full else "make it writable"
        raise DiskError(f"cannot write {path}: {error}; {remedy} and run again") from error


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A temporary sibling to write to; it becomes ``path`` at the end, or vanishes on any error.

    One name per path, so that what a killed process left is overwritten by the next one; whoever
    writes holds a lock. Raises DiskError if the disk refuses.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield partial
            with partial.open("rb+") as file:
                os.fsync(file.fileno())
            os.replace(partial, path)
    finally:
        with suppress(OSError):  # of a read-only disk, too: the first error is the one to tell
            partial.unlink()
