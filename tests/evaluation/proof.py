"""Prove the judge, piece by piece: planted defects, honest networks, answers that are known.

    python -m tests.evaluation.proof [--folder .proof] [--only PART/PROTOCOL/NAME ...]

A piece is one network by one protocol, on one core. What is finished lies in the folder, and is not
run again until its code changes: that of the evaluation, or of the piece. At the end docs/proof.md
is made again, which says how many pieces ran.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch

from pipeline.run import meaning
from pipeline.run.code import closure
from robustinfo.core.errors import UserError
from robustinfo.core.files import atomic_write
from robustinfo.evaluation.sizes import BY_NAME
from tests.evaluation import proof_parts

FOLDER = Path(".proof")
EVALUATION = "src/robustinfo/evaluation/by_protocol.py"
METHODS = ("attacks", "diagnostics")  # found by their files, imported by nobody
HOW_SHOWN = "src/robustinfo/evaluation/report/"  # which changes no result


class Piece(NamedTuple):
    """One network by one protocol."""

    part: str
    protocol: str
    name: str

    @property
    def text(self) -> str:
        return f"{self.part}/{self.protocol}/{self.name}"

    def file(self, folder: Path) -> Path:
        """Where its result lies, by the code that it depends on."""
        code = digest(*proof_parts.PARTS[self.part].files(self.name))
        return folder / self.part / self.protocol / f"{self.name}-{code}.json"

    def result(self, folder: Path) -> dict[str, Any] | None:
        """What was found; None: it has not run with this code."""
        file = self.file(folder)
        return json.loads(file.read_text("utf-8")) if file.exists() else None


def pieces() -> list[Piece]:
    """Every piece, those of the smallest protocol first."""
    return [
        Piece(part, protocol, name)
        for protocol in BY_NAME
        for part, about in proof_parts.PARTS.items()
        for name in about.names.get(protocol, ())
    ]


@cache
def digest(*files: str) -> str:
    """Of the meaning of ``code``, which comments and docstrings do not change."""
    found = meaning.digests(code(*files))
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()[:12]


def code(*files: str) -> set[str]:
    """The files, all that they import, and the evaluation."""
    found = {one for file in (*files, EVALUATION) for one in closure(file)}
    for kind in METHODS:
        found |= {str(one) for one in Path("src/robustinfo", kind).glob("*.py")}
    return {one for one in found if not one.startswith(HOW_SHOWN)}


def run(folder: Path, chosen: Sequence[str] = ()) -> Iterator[str]:
    """Run what is not finished, of these beginnings of names or of all; says each, in a line.

    Raises UserError if no piece begins so.
    """
    of = [piece for piece in pieces() if not chosen or piece.text.startswith(tuple(chosen))]
    if not of:
        known = ", ".join(proof_parts.PARTS)
        raise UserError(f"no piece begins with {' or '.join(chosen)}; the parts are {known}")
    for piece in of:
        if piece.result(folder) is not None:
            continue
        start = time.process_time()
        found = proof_parts.PARTS[piece.part].run(piece.name, BY_NAME[piece.protocol], folder)
        found["seconds"] = round(time.process_time() - start)
        with atomic_write(piece.file(folder)) as partial:
            partial.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
        yield f"{piece.text}: {found['seconds']} s"


def main() -> None:
    from tests.evaluation import table

    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--only", nargs="+", default=(), metavar="PART/PROTOCOL/NAME")
    given = parser.parse_args()
    torch.set_num_threads(1)
    try:
        for line in run(given.folder, given.only):
            print(line, flush=True)
    finally:
        table.write(given.folder)


if __name__ == "__main__":
    main()
