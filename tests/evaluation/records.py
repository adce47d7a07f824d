"""What the proof has found: a record for each piece, in a file that is committed.

A record says with which commit of the library it was made, and of which code, so that one of
earlier code stands until the piece is run again. docs/proof.md is made from these records alone.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

from filelock import FileLock

from robustinfo.core.files import atomic_write

FILE = Path("tests/evaluation/proof.jsonl")
LIBRARY = "src/robustinfo"

Record = dict[str, Any]  # piece, commit, code, seconds, and what is found


def read(file: Path) -> dict[str, Record]:
    """{piece: its record}; none where there is no file."""
    lines = file.read_text("utf-8").splitlines() if file.exists() else ()
    return {record["piece"]: record for record in map(json.loads, lines)}


def add(file: Path, record: Record, lock: Path) -> None:
    """In place of the piece's earlier record. Several processes may add at once, by one lock."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        records = read(file) | {record["piece"]: record}
        lines = [json.dumps(records[piece], ensure_ascii=False) for piece in sorted(records)]
        with atomic_write(file) as partial:
            partial.write_text("".join(f"{line}\n" for line in lines), "utf-8")


def commit() -> str:
    """The last commit that changed the library, ``+`` behind it if files differ from it since."""
    last = _git("log", "-1", "--format=%h", "--abbrev=8", "--", LIBRARY)
    return f"{last}+" if _git("status", "--porcelain", "--", LIBRARY) else last


def _git(*words: str) -> str:
    """What git prints; nothing where there is no repository."""
    return subprocess.run(["git", *words], capture_output=True, text=True).stdout.strip()
