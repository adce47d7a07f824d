"""What one job may read of a study file: its slices, resolved, and their sweeps. No torch."""

from collections.abc import Iterator
from typing import Any

from pipeline import paths
from pipeline.per import resolve
from pipeline.strict_yaml import StudyError

# Sections of entries, and the folder of robustinfo whose files their ``method`` names.
KINDS = {
    "datasets": "datasets",
    "models": "models",
    "defences": "defences",
    "attacks": "attacks",
    "snapshot_attacks": "attacks",
    "measures": "measures",
    "complexities": "complexities",
    "distortions": "distortions",
    "diagnostics": "diagnostics",
}
# Settings of an entry that are entries themselves.
INNER = {"loss": "losses"}


def slices(study: dict[str, Any], stage: str, names: dict[str, str]) -> dict[str, Any]:
    """What the stage may read of the study, by the short names of ``paths.KEYS``."""
    found = {s: look_up(study, key.format(**names)) for s, key in paths.KEYS[stage].items()}
    return resolve(found, names)


def look_up(study: dict[str, Any], dotted: str) -> Any:  # noqa: ANN401
    """``look_up(study, "attacks.pgd")``. Raises StudyError with the names that are there."""
    found: Any = study
    for part in dotted.split("."):
        if not isinstance(found, dict) or part not in found:
            there = ", ".join(map(str, found)) if isinstance(found, dict) else repr(found)
            raise StudyError(f"no {dotted!r} in the study: no {part!r} among {there}")
        found = found[part]
    return found


def sweep(entry: dict[str, Any]) -> Iterator[tuple[float | None, dict[str, Any]]]:
    """(level, entry) per value of ``sweep: {setting: [values]}``; without one, (None, entry)."""
    rest = {key: value for key, value in entry.items() if key != "sweep"}
    if "sweep" not in entry:
        yield None, rest
        return
    ((setting, values),) = entry["sweep"].items()
    for value in values:
        yield value, rest | {setting: value}
