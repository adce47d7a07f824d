"""A checked study, kept: whoever asks again for what has not changed reads it in a moment.

A check imports every method that the study names, and torch with them; a driver and its jobs ask
hundreds of times. What was checked stands in .snakemake/checked/, with the bytes of the study files
that it was made of and the state of whatever checked them. No torch.
"""

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from pipeline.study.slices import REFERENCES
from robustinfo.core.files import DiskError, whole

CACHE = Path(".snakemake/checked")
CHECK_SOURCES = ("pipeline/**/*.py", "src/robustinfo/**/*.py", f"{REFERENCES}/*.yaml")


def load(file: Path) -> dict[str, Any]:
    """The study after every check that needs no data. Raises StudyError at the first problem."""
    cached = CACHE / f"{hashlib.sha256(str(file).encode()).hexdigest()[:16]}.json"
    state = _state_of_checks()
    with suppress(OSError, ValueError, KeyError, TypeError):  # there is none, or no whole one
        known = json.loads(cached.read_text(encoding="utf-8"))
        if known["state"] == state and known["files"] == _digests(known["files"]):
            return known["content"]
    # By name: what reads and checks a study is no part of what a job computes (code.py).
    # Before the check: a file that changes meanwhile is then checked again.
    files = _digests(map(str, import_module("pipeline.study.extends").files_of(file)))
    content = import_module("pipeline.study.check").load(file)
    with suppress(DiskError), whole(cached) as part:
        part.write_text(json.dumps({"state": state, "files": files, "content": content}))
    return content


def _digests(files: Iterable[str]) -> dict[str, str]:
    return {file: hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in sorted(files)}


def _state_of_checks() -> str:
    """Size and time of every file of theirs: whoever edits one has studies checked again."""
    sha = hashlib.sha256()
    for file in sorted(file for pattern in CHECK_SOURCES for file in Path().glob(pattern)):
        status = file.stat()
        sha.update(f"{file} {status.st_size} {status.st_mtime_ns}\n".encode())
    return sha.hexdigest()
