"""What a stage reads, writes and may see: its file, ``pipeline/stages/NAME.py``, says so itself.

In constants of literals, before its code; what several stages have alike stands in a helper that
they import (_training.py):

    JOBS     {name: section of the study}: one job for every combination of the sections' entries.
             An entry that is a mapping, as a setting is, gives all of its names.
    READS    artifacts that other stages write: those that agree with the job's names, all of them.
             (role, artifact, {name: value}) reads those of another run than the job's own; all of
             one role come together.
    WRITES   {artifact: file}, under ``results/{study}/``; a file without a suffix is a folder.
    PARAMS   {short name: key of the study}: all of the study that the stage may see; (section, key)
             is of a section the entries that the key names, as ("attacks", "learning.attacks").
    FILES    files of the project that it reads, as patterns.
    NEEDS    a section without which there is nothing to do.
    DEVICE   "cpu" or "gpu": what it computes on, with the threads of a job; "gpu" where there
             is one.

A value in braces is one of the job's names or of the study. Files are parsed and not imported: what
a stage imports takes seconds, and who asks here has none.
"""

import ast
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any, NamedTuple

from pipeline.study.slices import Keys

STAGES = "pipeline/stages"
HELPERS = "pipeline.stages._"
CONSTANTS = ("JOBS", "READS", "WRITES", "PARAMS", "FILES", "NEEDS", "DEVICE")
RESULTS = "results/{study}/"


class Read(NamedTuple):
    """Artifacts that a job reads. of: names in which they differ from the job."""

    role: str
    artifact: str
    of: dict[str, str]


class Contract(NamedTuple):
    """One stage, as its file says."""

    stage: str
    jobs: dict[str, str]
    reads: list[Read]
    writes: dict[str, str]
    params: Keys
    files: list[str]
    needs: str | None
    device: str | None

    @property
    def names(self) -> list[str]:
        """The names that tell its jobs apart, in the order of their paths and options."""
        template = next(iter(self.writes.values()))
        found = [name for _, name, _, _ in Formatter().parse(template) if name]
        return [name for name in found if name != "study"]

    @property
    def program(self) -> str:
        """The file."""
        return f"{STAGES}/{self.stage}.py"


def every(checkout: Path = Path()) -> dict[str, Contract]:
    """All stages by name. checkout: the folder of the project."""
    files = sorted(Path(checkout, STAGES).glob("[!_]*.py"))
    return {file.stem: _read(file) for file in files}


@cache
def _read(file: Path) -> Contract:
    known = _constants(file)
    found = {name.lower(): known[name] for name in CONSTANTS if name in known}
    reads = [
        Read(one, one, {}) if isinstance(one, str) else Read(*one) for one in found.get("reads", [])
    ]
    writes = {name: RESULTS + path for name, path in found["writes"].items()}
    defaults: dict[str, Any] = {
        "jobs": {},
        "params": {},
        "files": [],
        "needs": None,
        "device": None,
    }
    return Contract(**defaults | found | {"stage": file.stem, "reads": reads, "writes": writes})


def _constants(file: Path) -> dict[str, Any]:
    """The constants of literals of a file, and those that it imports from helpers beside it."""
    known: dict[str, Any] = {}
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(HELPERS):
            theirs = _constants(file.with_name(f"{str(node.module).rpartition('.')[2]}.py"))
            known |= {one.name: theirs[one.name] for one in node.names if one.name in theirs}
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            try:
                known[name] = _value(node.value, known)
            except (ValueError, KeyError) as error:
                if name in CONSTANTS:
                    raise ValueError(f"{file}: {name} is no literal: {error!r}") from None
    return known


def _value(node: ast.expr, known: dict[str, Any]) -> Any:  # noqa: ANN401 - a literal
    """A literal, a known constant, or a mapping that takes others in: ``{**TRAINED, ...}``."""
    if isinstance(node, ast.Name):
        return known[node.id]
    if not isinstance(node, ast.Dict):
        return ast.literal_eval(node)
    found: dict[str, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        one = _value(value, known)
        found |= one if key is None else {ast.literal_eval(key): one}
    return found


def template(artifact: str) -> str:
    """The path of an artifact, names in braces. Raises KeyError where no stage writes it."""
    for one in every().values():
        if artifact in one.writes:
            return one.writes[artifact]
    raise KeyError(f"no stage writes {artifact!r}")
