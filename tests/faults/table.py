"""The table of docs/faults.md, from what the trials found."""

import json
import re
from pathlib import Path

from robustinfo.core.files import atomic_write

PAGE = Path("docs/faults.md")
NAMES = ("kills", "drivers", "disks", "damage", "clocks", "stores")
FOUND = Path(__file__).with_name("found.json")


def write() -> None:
    """Make the table of the page again."""
    with atomic_write(PAGE) as partial:
        partial.write_text(made(PAGE.read_text("utf-8")), "utf-8")


def made(page: str) -> str:
    """The page with the table of what was found."""
    text = "<!-- found -->\n" + "\n".join(lines()) + "\n<!-- end -->"
    return re.sub(r"<!-- found -->.*?<!-- end -->", lambda _: text, page, flags=re.DOTALL)


def lines() -> list[str]:
    """A line per fault: how often it was made to happen, how often the promise held."""
    head = ["| fault | made to happen | held | how, or what is said |", "|---|---|---|---|"]
    shown = ["| {fault} | {tried} | {held} | {said} |".format(**row) for row in found()]
    trials = json.loads(FOUND.read_text("utf-8"))
    return head + shown + [f"| {name} | not run yet | | |" for name in NAMES if name not in trials]


def found() -> list[dict]:
    """Every row of what the trials found."""
    return [row for rows in json.loads(FOUND.read_text("utf-8")).values() for row in rows]
