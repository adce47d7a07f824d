"""``python -m pipeline new KIND NAME``: a new method from a template, valid as it is.

The file is a copy of a template of pipeline/study/templates/ under the new name, and keeps the
contract of its folder, which stands in the folder's ``__init__.py``.
"""

import re
from keyword import iskeyword
from pathlib import Path
from typing import NamedTuple

from pipeline.study.validation import suggestion
from robustinfo.core.errors import UserError
from robustinfo.core.files import atomic_write

TEMPLATES = Path(__file__).parent / "templates"
MAX_LETTERS = 40  # letters of a name: lines of 100 hold it
USAGE = "usage: python -m pipeline new KIND NAME"


class Kind(NamedTuple):
    """Folder of a kind's files, and its lines in a study; ``{name}`` is the method."""

    folder: str
    entry: str


METHOD = "  {{name}}: {{{{method: {{name}}}}}}    # under `{section}:`"
TRAINED = "epochs: 24, batch_size: 64, learning_rate: 0.001, snapshot_every: 24"
TRAINING = f"  {{name}}: {{{{{TRAINED}}}}}    # under `pretrain:`"
DATASET = "  - {{dataset: {name}, model: lenet5}}    # under `settings:`, with one of `models:`"
MODEL = "  - {{dataset: digits, model: {name}}}    # under `settings:`, with one of `datasets:`"
KINDS = {
    "attack": Kind("src/robustinfo/attacks", METHOD.format(section="attacks")),
    "defence": Kind("src/robustinfo/defences", f"{METHOD.format(section='defences')}\n{TRAINING}"),
    "measure": Kind("src/robustinfo/measures", METHOD.format(section="measures")),
    "diagnostic": Kind("src/robustinfo/diagnostics", METHOD.format(section="diagnostics")),
    "complexity": Kind("src/robustinfo/complexities", METHOD.format(section="complexities")),
    "distortion": Kind("src/robustinfo/distortions", METHOD.format(section="distortions")),
    "dataset": Kind("src/robustinfo/datasets", f"{METHOD.format(section='datasets')}\n{DATASET}"),
    "model": Kind("src/robustinfo/models", f"{METHOD.format(section='models')}\n{MODEL}"),
    "figure": Kind(
        "pipeline/figures",
        "  draw: {name}    # of a figure, once `{name}` stands in DRAWINGS (pipeline/figures/"
        "drawing.py), REQUIREMENTS (pipeline/study/plot_kinds.py) and Target.draw "
        "(pipeline/study/target.py)",
    ),
}


def main(arguments: list[str]) -> None:
    """Write the file and print the next steps. Raises UserError before anything is written."""
    if len(arguments) != 2:
        raise UserError(f"{USAGE}; a kind is one of {', '.join(KINDS)}")
    kind, name = arguments
    print("\n".join(_next_steps(kind, name, write(kind, name, Path()))))


def write(kind: str, name: str, checkout: Path) -> Path:
    """Write the new file and return its path. checkout: the folder of the project."""
    if kind not in KINDS:
        raise UserError(f"no kind {kind!r}{suggestion(kind, KINDS)}")
    fits = re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) and len(name) <= MAX_LETTERS
    if not fits or iskeyword(name):
        rule = f"up to {MAX_LETTERS} small letters, digits and _, as in `my_{kind}`"
        raise UserError(f"{name!r} names no file; write {rule}")
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


def _next_steps(kind: str, name: str, file: Path) -> list[str]:
    return [
        f"{file} is there, and keeps the contract of {file.parent}/__init__.py.",
        "Its promises, of which one is that a study of this folder has it, or a test names it:",
        f"  python -m pytest tests/contracts -k {name}",
        "In a study:",
        KINDS[kind].entry.format(name=name),
        "Then:",
        "  python -m pipeline check params.yaml    # or the study that has it",
        "  snakemake -n                            # what it would run",
        "Before a pull request, the pages that know it, and the checks:",
        "  python -m pipeline schema > studies/schema.json",
        "  python -m pipeline reference > docs/reference.md",
        "  python -m pipeline dvc generate    # where params.yaml has it",
        "  make check",
    ]
