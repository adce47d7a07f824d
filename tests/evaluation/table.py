"""Write the tables of docs/proof.md from the records of what the proof has found so far.

    python -m tests.evaluation.table

Each table stands between two comments, ``<!-- NAME -->`` and ``<!-- end -->``; the rest of the page
is left as it is. A record of earlier code stands, with its commit, until the piece is run again.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.honest.registry import NETWORKS, Case
from robustinfo.core.files import atomic_write
from robustinfo.evaluation.checks import BY_NAME as CHECKS
from robustinfo.evaluation.checks import NOT_ENOUGH
from robustinfo.evaluation.sizes import BY_NAME
from tests.evaluation import records
from tests.evaluation.defects import DEFECTS
from tests.evaluation.proof import Piece, pieces
from tests.evaluation.proof_parts import PARTS
from tests.evaluation.records import Record

PAGE = Path("docs/proof.md")
NOT_RUN = "not run"
Results = Mapping[Piece, Record | None]


def write(file: Path = records.FILE) -> None:
    """Make the tables of the page again. file: of the records."""
    found = records.read(file)
    text = PAGE.read_text("utf-8")
    for name, lines in tables({piece: found.get(piece.text) for piece in pieces()}).items():
        made = f"<!-- {name} -->\n" + "\n".join(lines) + "\n<!-- end -->"
        text = re.sub(rf"<!-- {name} -->.*?<!-- end -->", lambda _: made, text, flags=re.DOTALL)  # noqa: B023
    with atomic_write(PAGE) as partial:
        partial.write_text(text, "utf-8")


def tables(results: Results) -> dict[str, list[str]]:
    """The lines of every table, by its name."""
    return {
        "ran": [*ran(results)],
        "defects": [*defects(results)],
        "l1": [*in_l1(results)],
        "honest": [*honest(results)],
        "networks": [*networks(results)],
        "soundness": [*soundness(results)],
    }


def row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def head(*names: str) -> list[str]:
    return [row(*names), "|" + "---|" * len(names)]


def of(results: Results, part: str) -> dict[tuple[str, str], Record | None]:
    """{(protocol, name): what was found} of a part."""
    return {piece[1:]: found for piece, found in results.items() if piece.part == part}


def made(found: Sequence[Record | None]) -> str:
    """The commits that records were made with, in the order of the columns."""
    return ", ".join(dict.fromkeys(one["commit"] for one in found if one))


def ran(results: Results) -> Iterator[str]:
    """How many pieces of how many ran, by part and protocol."""
    yield from head("part", *BY_NAME)
    for part in PARTS:
        counts = []
        for protocol in BY_NAME:
            all_of = [found for (size, _), found in of(results, part).items() if size == protocol]
            done = sum(found is not None for found in all_of)
            counts.append(f"{done} of {len(all_of)}" if all_of else "not planned")
        yield row(part, *counts)


def defects(results: Results) -> Iterator[str]:
    """What is planted, who tells of it, which checks see it, and the verdict by each protocol."""
    planted = of(results, "defects")
    shown = [size for size in BY_NAME if any(planted.get((size, name)) for name in DEFECTS)]
    yield from head("planted", "source", "seen by", *shown, "without these checks", "commit")
    for name, defect in DEFECTS.items():
        found = [planted.get((size, name)) for size in shown]
        without = next((one["without"] for one in found if one), NOT_RUN)
        checks = ", ".join(f"`{check}`" for check in defect.checks)
        cells = [verdict_cell(one) for one in found]
        yield row(defect.text, defect.source, checks, *cells, without, made(found))


def in_l1(results: Results) -> Iterator[str]:
    """The same of what was planted in l1, with the check that is made for it."""
    planted = of(results, "l1")
    shown = [
        size
        for size in BY_NAME
        if any(found and size == one for (one, _), found in planted.items())
    ]
    yield from head("planted", "seen by", *shown, "without its checks", "commit")
    for name in dict.fromkeys(name for _, name in planted):
        found = [planted.get((size, name)) for size in shown]
        without = next((one["without"] for one in found if one), NOT_RUN)
        cells = [verdict_cell(one) for one in found]
        yield row(DEFECTS[name].text, f"`{DEFECTS[name].check}`", *cells, without, made(found))


def verdict_cell(found: Record | None) -> str:
    """The verdict; ``missed`` before it where the check that is made for it did not see it."""
    if found is None:
        return NOT_RUN
    return found["verdict"] if found["seen"] else f"**missed**: {found['verdict']}"


def honest(results: Results) -> Iterator[str]:
    """How many honest networks were judged by each protocol, what was said, and who was accused."""
    yield from head("protocol", "judged", "accused", "verdicts")
    for protocol in BY_NAME:
        all_of = [one for (size, _), one in of(results, "honest").items() if size == protocol]
        done = [found for found in all_of if found is not None]
        if done:
            wrong = sum(bool(found["accused_by"]) for found in done)
            verdicts = sorted({one["verdict"] for one in done})
            said = ", ".join(f"{sum(one['verdict'] == v for one in done)} {v}" for v in verdicts)
            yield row(protocol, f"{len(done)} of {len(all_of)}", wrong, said)


def networks(results: Results) -> Iterator[str]:
    """Every honest network that was judged: what each protocol said, and the checks that failed."""
    judged = of(results, "honest")
    shown = [size for size in BY_NAME if any(judged.get((size, one.name)) for one in NETWORKS)]
    yield from head("network", "data", "ball", "seed", "clean", *shown, "commit")
    for case in NETWORKS:
        found = [judged.get((size, case.name)) for size in shown]
        if clean := [f"{one['clean_accuracy']:.0%}" for one in found if one]:
            cells = map(network_cell, found)
            yield row(*about(case), clean[-1], *cells, made(found))


def about(case: Case) -> tuple[str, str, str, int]:
    kind = case.kind.removeprefix("colour_").replace("_", " ")
    return kind, case.dataset, f"{case.norm} {case.epsilon:g}", case.seed


def network_cell(found: Record | None) -> str:
    """The verdict, the robust accuracy, and the failed checks of what was measured."""
    if found is None:
        return NOT_RUN
    failed = [one for one in found["failed"].split() if CHECKS[one].verdict != NOT_ENOUGH]
    names = "".join(f", `{one}`" for one in failed)
    accused = f" **accused** by {found['accused_by']}" if found["accused_by"] else ""
    return f"{found['verdict']}, {found['robust_accuracy']:.0%}{names}{accused}"


def soundness(results: Results) -> Iterator[str]:
    """Images that are proved safe and broken, and what each protocol did to them."""
    yield from head(
        "network", "protocol", "proved safe", "turned", "proved broken", "missed", "commit"
    )
    for (protocol, name), found in of(results, "soundness").items():
        if found is not None:
            counts = [found[key] for key in ("safe", "turned", "broken", "missed")]
            yield row(name, protocol, *counts, found["commit"])


if __name__ == "__main__":
    write()
