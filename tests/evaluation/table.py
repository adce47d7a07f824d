"""Write the tables of docs/proof.md from what the proof has found so far.

    python -m tests.evaluation.table [FOLDER]

Each table stands between two comments, ``<!-- NAME -->`` and ``<!-- end -->``; the rest of the page
is left as it is. A piece that has not run with this code is "not run".
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from robustinfo.core.files import atomic_write
from robustinfo.core.measurement import Measurement
from robustinfo.evaluation.sizes import BY_NAME
from tests.evaluation.defects import DEFECTS, Defect
from tests.evaluation.proof import FOLDER, Piece, pieces
from tests.evaluation.proof_parts import PARTS, verdict

PAGE = Path("docs/proof.md")
NOT_RUN = "not run"
Results = dict[Piece, dict | None]


def write(folder: Path = FOLDER) -> None:
    """Make the tables of the page again."""
    results = {piece: piece.result(folder) for piece in pieces()}
    text = PAGE.read_text("utf-8")
    for name, lines in tables(results).items():
        made = f"<!-- {name} -->\n" + "\n".join(lines) + "\n<!-- end -->"
        text = re.sub(rf"<!-- {name} -->.*?<!-- end -->", lambda _: made, text, flags=re.DOTALL)  # noqa: B023
    with atomic_write(PAGE) as partial:
        partial.write_text(text, "utf-8")


def tables(results: Results) -> dict[str, list[str]]:
    """The lines of every table, by its name."""
    return {
        "ran": [*ran(results)],
        "defects": [*defects(results)],
        "honest": [*honest(results)],
        "soundness": [*soundness(results)],
    }


def row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def head(*names: str) -> list[str]:
    return [row(*names), "|" + "---|" * len(names)]


def ran(results: Results) -> Iterator[str]:
    """How many pieces of how many ran, by part and protocol."""
    yield from head("part", *BY_NAME)
    for part in PARTS:
        counts = []
        for protocol in BY_NAME:
            of = [found for piece, found in results.items() if piece[:2] == (part, protocol)]
            done = sum(found is not None for found in of)
            counts.append(f"{done} of {len(of)}" if of else "not planned")
        yield row(part, *counts)


def defects(results: Results) -> Iterator[str]:
    """What is planted, who tells of it, which checks see it, and the verdict by each protocol."""
    of = {piece[1:]: found for piece, found in results.items() if piece.part == "defects"}
    shown = [size for size in BY_NAME if any(of.get((size, name)) for name in DEFECTS)]
    yield from head("planted", "source", "seen by", *shown, "without these checks")
    for name, defect in DEFECTS.items():
        found = [measurements(of.get((size, name))) for size in shown]
        cells = [verdict_cell(defect, one) for one in found]
        first = next((one for one in found if one), None)
        rest = verdict(first, but=defect.checks).verdict if first else NOT_RUN
        checks = ", ".join(f"`{check}`" for check in defect.checks)
        yield row(defect.text, defect.source, checks, *cells, rest)


def measurements(found: dict | None) -> list[Measurement]:
    return [Measurement(**one) for one in found["measurements"]] if found else []


def verdict_cell(defect: Defect, found: list[Measurement]) -> str:
    """The verdict; ``missed`` before it where the check that is made for it did not see it."""
    if not found:
        return NOT_RUN
    said = verdict(found)
    seen = {one.check.name for one in said.answers if one.result in ("failed", "noted")}
    return said.verdict if defect.check in seen else f"**missed**: {said.verdict}"


def honest(results: Results) -> Iterator[str]:
    """How many honest networks were judged by each protocol, what was said, and who was accused."""
    yield from head("protocol", "judged", "accused", "by", "verdicts")
    for protocol in BY_NAME:
        of = [found for piece, found in results.items() if piece[:2] == ("honest", protocol)]
        done = [found for found in of if found is not None]
        if not of:
            continue
        wrong = [found for found in done if found["accused_by"]]
        names = "; ".join(f"{one['network']}: {one['accused_by']}" for one in wrong)
        verdicts = sorted({one["verdict"] for one in done})
        said = ", ".join(f"{sum(one['verdict'] == v for one in done)} {v}" for v in verdicts)
        judged = f"{len(done)} of {len(of)}"
        yield row(protocol, judged, len(wrong), names or "nobody", said or NOT_RUN)


def soundness(results: Results) -> Iterator[str]:
    """Images that are proved safe and broken, and what each protocol did to them."""
    yield from head("network", "protocol", "proved safe", "turned", "proved broken", "missed")
    for piece, found in results.items():
        if piece.part == "soundness" and found is not None:
            counts = [found[key] for key in ("safe", "turned", "broken", "missed")]
            yield row(piece.name, piece.protocol, *counts)


if __name__ == "__main__":
    write(*map(Path, sys.argv[1:2]))
