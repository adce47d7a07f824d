"""What one job may read of a study file: its slices, resolved, and their sweeps. No torch."""

from collections.abc import Iterator
from typing import Any

from pipeline import paths
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
PER = "per"  # {per: {dataset: value, dataset/model: value}}: a value that depends on the setting
# Settings of an entry that are entries themselves.
INNER = {"loss": "losses"}


def slices(study: dict[str, Any], stage: str, names: dict[str, str]) -> dict[str, Any]:
    """What the stage may read of the study, by the short names of ``paths.KEYS``."""
    found = {s: look_up(study, key.format(**names)) for s, key in paths.KEYS[stage].items()}
    return resolve(found, names)


def resolve(value: Any, names: dict[str, str]) -> Any:  # noqa: ANN401
    """The value for one setting: of every ``per: {mnist: 0.3, cifar10: 0.03}`` in it, its own.

    The keys of ``per`` are data sets, or ``dataset/model``, which wins. Without a data set among
    the names nothing is chosen. Raises StudyError if ``per`` has no value for them.
    """
    if isinstance(value, list):
        return [resolve(one, names) for one in value]
    if not isinstance(value, dict) or "dataset" not in names:
        return value
    if value.keys() != {PER}:
        return {key: resolve(one, names) for key, one in value.items()}
    wanted = (f"{names['dataset']}/{names.get('model')}", names["dataset"])
    for key in wanted:
        if key in value[PER]:
            return resolve(value[PER][key], names)
    raise StudyError(f"per: no value for {wanted[0]} among {', '.join(value[PER])}")


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
