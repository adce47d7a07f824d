"""Prove the judge, piece by piece: planted defects, honest networks, answers that are known.

    python -m tests.evaluation.proof [--folder .proof] [--only PART/PROTOCOL/NAME ...]

A piece is one network by one protocol, on one core. What is found is kept (records.py), and is not
run again until its code changes: that of the evaluation, or of the piece. At the end docs/proof.md
is made again, which says how many pieces ran. The folder is that of the trained networks.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch

from pipeline.run import meaning
from pipeline.run.code import closure
from robustinfo.core.errors import UserError
from robustinfo.evaluation.sizes import BY_NAME
from tests.evaluation import proof_parts, records

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

    @property
    def code(self) -> str:
        """Digest of the code that its result depends on."""
        return digest(*proof_parts.PARTS[self.part].files(self.name))

    def is_done(self, found: Mapping[str, records.Record]) -> bool:
        """Whether it has run with this code."""
        return found.get(self.text, {}).get("code") == self.code


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


def run(folder: Path, file: Path, chosen: Sequence[str] = ()) -> Iterator[str]:
    """Run what is not finished, of these beginnings of names or of all; says each, in a line.

    file: of the records. Raises UserError if no piece begins so.
    """
    of = [piece for piece in pieces() if not chosen or piece.text.startswith(tuple(chosen))]
    if not of:
        known = ", ".join(proof_parts.PARTS)
        raise UserError(f"no piece begins with {' or '.join(chosen)}; the parts are {known}")
    for piece in of:
        part = proof_parts.PARTS[piece.part]
        if piece.is_done(records.read(file)):
            continue
        if lacking := part.lacking(piece.name):
            yield f"{piece.text}: not run, {lacking}"
            continue
        about = {"piece": piece.text, "commit": records.commit(), "code": piece.code}
        start = time.process_time()
        found = part.run(piece.name, BY_NAME[piece.protocol], folder)
        about["seconds"] = round(time.process_time() - start)
        records.add(file, about | found, folder / "records.lock")
        yield f"{piece.text}: {about['seconds']} s"


def main() -> None:
    from tests.evaluation import table

    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--only", nargs="+", default=(), metavar="PART/PROTOCOL/NAME")
    given = parser.parse_args()
    torch.set_num_threads(1)
    try:
        for line in run(given.folder, records.FILE, given.only):
            print(line, flush=True)
    finally:
        table.write()


if __name__ == "__main__":
    main()
