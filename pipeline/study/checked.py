"""Cache of checked studies: one that has not changed is not checked again.

A check imports every method that the study names, and torch with them; a driver and its jobs load
a study hundreds of times. A checked study is stored in .snakemake/checked/, with the sha256 of its
files and the state of the code that checked it. No torch.
"""

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from pipeline.study.slices import REFERENCES
from robustinfo.core.files import DiskError, atomic_write

CACHE = Path(".snakemake/checked")
CHECK_SOURCES = ("pipeline/**/*.py", "src/robustinfo/**/*.py", f"{REFERENCES}/*.yaml")


def load(file: Path) -> dict[str, Any]:
    """Content of the checked study, from the cache if it is valid there (``check.load``)."""
    cached = CACHE / f"{hashlib.sha256(str(file).encode()).hexdigest()[:16]}.json"
    state = _state_of_checks()
    with suppress(OSError, ValueError, KeyError, TypeError):  # no cached study, or a damaged one
        known = json.loads(cached.read_text(encoding="utf-8"))
        if known["state"] == state and known["files"] == _digests(known["files"]):
            return known["content"]
    # By name: what reads and checks a study is no part of what a job computes (code.py).
    # Before the check: a file that changes meanwhile is then checked again.
    files = _digests(map(str, import_module("pipeline.study.extends").files_of(file)))
    content = import_module("pipeline.study.check").load(file)
    with suppress(DiskError), atomic_write(cached) as part:
        part.write_text(json.dumps({"state": state, "files": files, "content": content}))
    return content


def _digests(files: Iterable[str]) -> dict[str, str]:
    return {file: hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in sorted(files)}


def _state_of_checks() -> str:
    """Digest of size and time of every file that checks studies: an edit invalidates the cache."""
    sha = hashlib.sha256()
    for file in sorted(file for pattern in CHECK_SOURCES for file in Path().glob(pattern)):
        status = file.stat()
        sha.update(f"{file} {status.st_size} {status.st_mtime_ns}\n".encode())
    return sha.hexdigest()
