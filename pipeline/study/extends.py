"""Inheritance of study files: ``extends: other.yaml`` names the study that one differs from.

Mappings are merged key by key, choices by setting (``{per: ...}``) too; anything else replaces what
was inherited, and so does an entry with another ``method``, which shares no setting with the old,
or with a ``network`` in place of one.
A null removes an inherited entry; ``figure-4-stl10-*: null`` all whose names match. The name is
never inherited: results are stored by it. A section that no file has gets its default (schema.py).
"""

from fnmatch import filter as matching
from pathlib import Path
from typing import Any

from pipeline.study.external import is_external
from pipeline.study.per import PER
from pipeline.study.schema import Study, fill_defaults
from pipeline.study.strict_yaml import Key, StudyError, abbreviated, dotted, read

EXTENDS = "extends"
ENTRIES = (
    "datasets", "models", "defences", "pretrain", "retrain", "train_selected", "attacks",
    "snapshot_attacks", "measures", "snapshot_diagnostics", "complexities", "distortions",
    "diagnostics", "learning", "detection", "toys", "tables", "figures", "claims",
)  # fmt: skip
Places = dict[Key, tuple[Path, int]]


def files_of(file: Path) -> list[Path]:
    """Paths of the study file and of those that it inherits from, in order."""
    return _read_with_inherited(file, ())[2]


def read_study(file: Path) -> tuple[dict[str, Any], Places]:
    """Content of the study, and (file, line) of every key.

    Raises StudyError for a file that cannot be read, and for one that extends itself.
    """
    content, places, _ = _read_with_inherited(file, ())
    return fill_defaults(Study, content), places


def _read_with_inherited(
    file: Path, heirs: tuple[Path, ...]
) -> tuple[dict[str, Any], Places, list[Path]]:
    changes, lines = read(file)
    places = {key: (file, line) for key, line in lines.items()}
    if EXTENDS not in changes:
        return changes, places, [file]
    parent = _parent(file, changes.pop(EXTENDS), lines[(EXTENDS,)], heirs)
    if "name" not in changes:
        raise StudyError(f"{file}:1: name: is missing; results are stored by it, so none inherits")
    inherited, inherited_places, ancestors = _read_with_inherited(parent, (*heirs, file.resolve()))
    removed = set()
    for section, pattern in _removals(changes):
        del changes[section][pattern]
        names = matching(inherited.get(section, {}), pattern)
        if not names:
            where = f"{file}:{lines[section, pattern]}: {dotted((section, pattern))}"
            raise StudyError(f"{where}: null removes what is inherited; {parent} has no such entry")
        removed |= {(section, name) for name in names}
    for section, name in removed:
        inherited[section].pop(name)
    merged, replaced = _merge(inherited, changes, ())
    places_left = {
        key: place
        for key, place in inherited_places.items()
        if not _is_inside(key, removed | replaced)
    }
    return merged, places_left | places, [file, *ancestors]


def _parent(file: Path, name: Any, line: int, heirs: tuple[Path, ...]) -> Path:  # noqa: ANN401
    where = f"{file}:{line}: {EXTENDS}"
    if not isinstance(name, str):
        raise StudyError(f"{where}: names one study file; it reads {abbreviated(name)}")
    parent = file.parent / name
    if parent.resolve() in (*heirs, file.resolve()):
        raise StudyError(f"{where}: {name} extends this study in turn; end the circle")
    if not parent.is_file():
        raise StudyError(f"{where}: there is no {parent}; the path starts where this file lies")
    return parent


def _removals(changes: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (section, name)
        for section in ENTRIES
        if isinstance(entries := changes.get(section), dict)
        for name, entry in entries.items()
        if entry is None
    ]


def _merge(
    inherited: dict[str, Any], changes: dict[str, Any], key: Key
) -> tuple[dict[str, Any], set[Key]]:
    """Both as one mapping, and the keys whose inherited values are replaced."""
    merged, replaced = dict(inherited), set()
    for name, value in changes.items():
        inner = (*key, name)
        if name in merged and _can_merge(merged[name], value):
            merged[name], replaced_inside = _merge(merged[name], value, inner)
            replaced |= replaced_inside
        else:
            merged[name] = value
            replaced.add(inner)
    return merged, replaced


def _can_merge(inherited: Any, changes: Any) -> bool:  # noqa: ANN401 - any YAML values
    if not isinstance(inherited, dict) or not isinstance(changes, dict):
        return False
    if (PER in inherited) != (PER in changes):
        return False
    if is_external(changes) and "method" in inherited:
        return False
    return changes.get("method", inherited.get("method")) == inherited.get("method")


def _is_inside(key: Key, places: set[Key]) -> bool:
    return any(key[:length] in places for length in range(1, len(key) + 1))
