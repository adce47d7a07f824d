"""Text files with a checksum: tables with a sha256 in their first line, JSON with one as a key.

A flipped bit in a number is another number, and no parser notices. All files that a later stage
reads are therefore written and read here, as tensors are by ``robustinfo.core.sealed``.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from robustinfo.core.files import AlteredFileError, atomic_write

SEAL = "# sha256: "
_KEY = "sha256"


def write(path: Path, text: str) -> None:
    """Write a first line ``# sha256: <64 hex digits>`` of all bytes after it, then the text.

    The file appears whole or not at all.
    """
    content = text.encode()
    with atomic_write(path) as partial:
        partial.write_bytes(_seal(content) + content)


def read(path: Path) -> bytes:
    """Content after the seal. Raises AlteredFileError with the path unless its sha256 matches."""
    first, newline, content = _bytes(path).partition(b"\n")
    if first + newline != _seal(content):
        raise _altered(path)
    return content


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a mapping as indented JSON that ends in the sha256 of the rest."""
    with atomic_write(path) as partial:
        partial.write_bytes(_json(content))


def read_json(path: Path) -> dict[str, Any]:
    """The mapping without its seal. Raises AlteredFileError unless every byte is as written."""
    written = _bytes(path)
    try:
        content = json.loads(written)
    except (ValueError, RecursionError):
        raise _altered(path) from None
    if not isinstance(content, dict) or _KEY not in content:
        raise _altered(path)
    del content[_KEY]
    if _json(content) != written:
        raise _altered(path)
    return content


def _seal(content: bytes) -> bytes:
    return f"{SEAL}{hashlib.sha256(content).hexdigest()}\n".encode()


def _json(content: dict[str, Any]) -> bytes:
    digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()
    return (json.dumps(content | {_KEY: digest}, indent=2) + "\n").encode()


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AlteredFileError(
            f"{path} cannot be read ({error.strerror}); delete it and run snakemake again"
        ) from None


def _altered(path: Path) -> AlteredFileError:
    return AlteredFileError(
        f"{path} is not as it was written: its sha256 does not match; "
        "delete it and run snakemake again"
    )
