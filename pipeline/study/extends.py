"""A study file with what it inherits: ``extends: other.yaml`` names a study that it differs from.

Mappings are merged key by key, choices by setting (``{per: ...}``) too; anything else replaces what
was inherited, and so does an entry with another ``method``, which shares no setting with the old.
A null removes an inherited entry; ``figure-4-stl10-*: null`` all that are named so. The name is a
study's own: results are stored by it. A section that no file has is what schema.py says.
"""

from fnmatch import filter as matching
from pathlib import Path
from typing import Any

from pipeline.study.per import PER
from pipeline.study.schema import Study, filled
from pipeline.study.strict_yaml import Key, StudyError, dotted, read, shown

EXTENDS = "extends"
ENTRIES = (
    "datasets", "models", "defences", "pretrain", "retrain", "train_selected", "attacks",
    "snapshot_attacks", "measures", "snapshot_diagnostics", "complexities", "distortions",
    "diagnostics", "learning", "detection", "toys", "tables", "figures", "claims",
)  # fmt: skip
Places = dict[Key, tuple[Path, int]]


def files_of(file: Path) -> list[Path]:
    """The study file and those that it inherits from, one after another."""
    return _with_inherited(file, ())[2]


def read_study(file: Path) -> tuple[dict[str, Any], Places]:
    """The study's content, and the file and line of every key that stands in one.

    Raises StudyError for a file that cannot be read, and for one that extends itself.
    """
    content, places, _ = _with_inherited(file, ())
    return filled(Study, content), places


def _with_inherited(
    file: Path, heirs: tuple[Path, ...]
) -> tuple[dict[str, Any], Places, list[Path]]:
    own, lines = read(file)
    places = {key: (file, line) for key, line in lines.items()}
    if EXTENDS not in own:
        return own, places, [file]
    parent = _parent(file, own.pop(EXTENDS), lines[(EXTENDS,)], heirs)
    if "name" not in own:
        raise StudyError(f"{file}:1: name: is missing; results are stored by it, so none inherits")
    inherited, theirs, ancestors = _with_inherited(parent, (*heirs, file.resolve()))
    gone = set()
    for section, pattern in _removals(own):
        del own[section][pattern]
        names = matching(inherited.get(section, {}), pattern)
        if not names:
            where = f"{file}:{lines[section, pattern]}: {dotted((section, pattern))}"
            raise StudyError(f"{where}: null removes what is inherited; {parent} has no such entry")
        gone |= {(section, name) for name in names}
    for section, name in gone:
        inherited[section].pop(name)
    merged, replaced = _merged(inherited, own, ())
    kept = {key: one for key, one in theirs.items() if not _inside(key, gone | replaced)}
    return merged, kept | places, [file, *ancestors]


def _parent(file: Path, other: Any, line: int, heirs: tuple[Path, ...]) -> Path:  # noqa: ANN401
    where = f"{file}:{line}: {EXTENDS}"
    if not isinstance(other, str):
        raise StudyError(f"{where}: names one study file; it reads {shown(other)}")
    parent = file.parent / other
    if parent.resolve() in (*heirs, file.resolve()):
        raise StudyError(f"{where}: {other} extends this study in turn; end the circle")
    if not parent.is_file():
        raise StudyError(f"{where}: there is no {parent}; the path starts where this file lies")
    return parent


def _removals(own: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (section, name)
        for section in ENTRIES
        if isinstance(entries := own.get(section), dict)
        for name, entry in entries.items()
        if entry is None
    ]


def _merged(
    inherited: dict[str, Any], own: dict[str, Any], key: Key
) -> tuple[dict[str, Any], set[Key]]:
    """Both as one mapping, and the keys whose inherited values no longer stand."""
    found, replaced = dict(inherited), set()
    for name, value in own.items():
        inner = (*key, name)
        if name in found and _are_merged(found[name], value):
            found[name], more = _merged(found[name], value, inner)
            replaced |= more
        else:
            found[name] = value
            replaced.add(inner)
    return found, replaced


def _are_merged(inherited: Any, own: Any) -> bool:  # noqa: ANN401 - any YAML values
    if not isinstance(inherited, dict) or not isinstance(own, dict):
        return False
    if (PER in inherited) != (PER in own):
        return False
    return own.get("method", inherited.get("method")) == inherited.get("method")


def _inside(key: Key, places: set[Key]) -> bool:
    return any(key[:length] in places for length in range(1, len(key) + 1))
