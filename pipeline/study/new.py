"""``python -m pipeline new KIND NAME``: a file for one more method, sound as it is.

It is a template of pipeline/study/templates/ under its name, and keeps the contract of its folder,
which stands in the folder's ``__init__.py``.
"""

import re
from keyword import iskeyword
from pathlib import Path
from typing import NamedTuple

from pipeline.study.validation import suggested
from robustinfo.core.errors import UserError
from robustinfo.core.files import atomic_write

TEMPLATES = Path(__file__).parent / "templates"
LONGEST = 40  # letters of a name: lines of 100 hold it
USAGE = "usage: python -m pipeline new KIND NAME"


class Kind(NamedTuple):
    """Where a file of a kind belongs, and how it gets into a study; braces hold its name."""

    folder: str
    entry: str


METHOD = "  {{name}}: {{{{method: {{name}}}}}}    # under `{section}:`"
KINDS = {
    "attack": Kind("src/robustinfo/attacks", METHOD.format(section="attacks")),
    "defence": Kind("src/robustinfo/defences", METHOD.format(section="defences")),
    "measure": Kind("src/robustinfo/measures", METHOD.format(section="measures")),
    "diagnostic": Kind("src/robustinfo/diagnostics", METHOD.format(section="diagnostics")),
    "dataset": Kind("src/robustinfo/datasets", METHOD.format(section="datasets")),
    "figure": Kind(
        "pipeline/figures",
        "  draw: {name}    # of a figure, once `{name}` stands in DRAWINGS (pipeline/figures/"
        "drawing.py), TAKES (pipeline/study/drawn.py) and Target.draw (pipeline/study/target.py)",
    ),
}


def main(words: list[str]) -> None:
    """Write the file and say what comes next. Raises UserError, and nothing is written."""
    if len(words) != 2:
        raise UserError(f"{USAGE}; a kind is one of {', '.join(KINDS)}")
    kind, name = words
    print("\n".join(_next(kind, name, write(kind, name, Path()))))


def write(kind: str, name: str, checkout: Path) -> Path:
    """The new file. checkout: the folder of the project."""
    if kind not in KINDS:
        raise UserError(f"no kind {kind!r}{suggested(kind, KINDS)}")
    fits = re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) and len(name) <= LONGEST
    if not fits or iskeyword(name):
        said = f"up to {LONGEST} small letters, digits and _, as in `my_{kind}`"
        raise UserError(f"{name!r} names no file; write {said}")
    folder = checkout / KINDS[kind].folder
    if not folder.is_dir():
        raise UserError(f"no folder {folder} here; run it in the folder of the project")
    file = folder / f"{name}.py"
    if file.exists():
        raise UserError(f"{file} is there already; take another name")
    text = (TEMPLATES / f"{kind}.py").read_text(encoding="utf-8")
    with atomic_write(file) as part:
        part.write_text(text.replace("TEMPLATE", name), encoding="utf-8")
    return file


def _next(kind: str, name: str, file: Path) -> list[str]:
    return [
        f"{file} is there, and keeps the contract of {file.parent}/__init__.py.",
        "In a study:",
        KINDS[kind].entry.format(name=name),
        "Then:",
        "  python -m pipeline check params.yaml",
        f"  python -m pytest tests/contracts -k {name}",
        "  make check",
    ]
