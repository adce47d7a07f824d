"""Contract of a stage: what it reads, writes and may see, declared in ``pipeline/stages/NAME.py``.

The declaration is constants of literals at the top of the file; what several stages share stands
in a helper that they import (_training.py):

    JOBS     {name: section of the study}: one job for every combination of the sections' entries.
             An entry that is a mapping, as a setting is, gives all of its names.
    READS    artifacts that other stages write: those that agree with the job's names, all of them.
             (role, artifact, {name: value}) reads those of another run than the job's own; files
             of one role are one list.
    WRITES   {artifact: file}, under ``results/{study}/``; a file without a suffix is a folder.
    PARAMS   {short name: key of the study}: all of the study that the stage may see; (section, key)
             is of a section the entries that the key names, as ("attacks", "learning.attacks").
    FILES    files of the project that it reads, as patterns; ``{network}`` are those that
             an entry of a network names which the study did not train.
    NEEDS    a key of the study without whose value a job does not exist.
    DEVICE   "cpu" or "gpu": the device of its jobs, with the threads of a job; "gpu" where there
             is one.

A value in braces is one of the job's names or of the study. Files are parsed and not imported: the
imports of a stage take seconds.
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
    """Artifacts that a job reads in a role. names: those in which their run differs."""

    role: str
    artifact: str
    names: dict[str, str]


class Contract(NamedTuple):
    """Contract of one stage."""

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
        """Names that distinguish its jobs, in the order of their paths and options."""
        template = next(iter(self.writes.values()))
        names_in_path = [name for _, name, _, _ in Formatter().parse(template) if name]
        return [name for name in names_in_path if name != "study"]

    @property
    def program(self) -> str:
        """Path of the stage's file."""
        return f"{STAGES}/{self.stage}.py"


def read_all(checkout: Path = Path()) -> dict[str, Contract]:
    """Contracts of all stages by name. checkout: the folder of the project."""
    files = sorted(Path(checkout, STAGES).glob("[!_]*.py"))
    return {file.stem: _read_stage(file) for file in files}


@cache
def _read_stage(file: Path) -> Contract:
    constants = _constants(file)
    declared = {name.lower(): constants[name] for name in CONSTANTS if name in constants}
    reads = [
        Read(read, read, {}) if isinstance(read, str) else Read(*read)
        for read in declared.get("reads", [])
    ]
    writes = {name: RESULTS + path for name, path in declared["writes"].items()}
    defaults: dict[str, Any] = {
        "jobs": {},
        "params": {},
        "files": [],
        "needs": None,
        "device": None,
    }
    return Contract(**defaults | declared | {"stage": file.stem, "reads": reads, "writes": writes})


def _constants(file: Path) -> dict[str, Any]:
    """Constants of literals in a file, and those that it imports from helpers of its folder."""
    constants: dict[str, Any] = {}
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(HELPERS):
            imported = _constants(file.with_name(f"{str(node.module).rpartition('.')[2]}.py"))
            names = [alias.name for alias in node.names]
            constants |= {name: imported[name] for name in names if name in imported}
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            try:
                constants[name] = _literal(node.value, constants)
            except (ValueError, KeyError) as error:
                if name in CONSTANTS:
                    raise ValueError(f"{file}: {name} is no literal: {error!r}") from None
    return constants


def _literal(node: ast.expr, constants: dict[str, Any]) -> Any:  # noqa: ANN401 - a literal
    """Value of a literal, a constant, or a mapping that includes others: ``{**TRAINED, ...}``."""
    if isinstance(node, ast.Name):
        return constants[node.id]
    if not isinstance(node, ast.Dict):
        return ast.literal_eval(node)
    mapping: dict[str, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        literal = _literal(value, constants)
        mapping |= literal if key is None else {ast.literal_eval(key): literal}
    return mapping


def template(artifact: str) -> str:
    """Path of an artifact, with names in braces. Raises KeyError where no stage writes it."""
    for stage in read_all().values():
        if artifact in stage.writes:
            return stage.writes[artifact]
    raise KeyError(f"no stage writes {artifact!r}")
