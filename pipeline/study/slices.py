"""What one job may read of a study file: its slices, resolved. No torch."""

from typing import Any

from pipeline.study.per import resolve
from pipeline.study.strict_yaml import StudyError

# Sections of entries, and the folder of robustinfo whose files their ``method`` names.
KINDS = {
    "datasets": "datasets",
    "models": "models",
    "defences": "defences",
    "attacks": "attacks",
    "snapshot_attacks": "attacks",
    "measures": "measures",
    "snapshot_diagnostics": "diagnostics",
    "complexities": "complexities",
    "distortions": "distortions",
    "diagnostics": "diagnostics",
    "learning": "learning",
    "detection": "attacks",
    "toys": "toys",
}
# The sections that say how defences are trained, and which; each is also a stage.
TRAININGS = ("pretrain", "retrain", "train_selected")
REFERENCES = "studies/references"  # what the papers print
# Settings of an entry that are entries themselves.
INNER = {
    "base": "defences",
    "loss": "losses",
    "adversary": "attacks",
    "distortion": "distortions",
    "complexity": "complexities",
    "network": "models",
}
# Sections whose entries may be null in a setting: they do not exist there.
OPTIONAL = (
    "defences", "attacks", "snapshot_attacks", "measures", "snapshot_diagnostics", "complexities",
    "distortions", "diagnostics", "learning", "detection",
)  # fmt: skip


Keys = dict[str, str | tuple[str, str]]


def slices(study: dict[str, Any], params: Keys, names: dict[str, str]) -> dict[str, Any]:
    """What a job may read of the study: {short name: key, such as ``attacks.{attack}``}.

    A value in braces is one of the job's names or of the study. A pair is a section, and where what
    the job reads says which of its entries: ("attacks", "learning.attacks").
    """
    keys = {short: key_of(one).format(**study | names) for short, one in params.items()}
    found = resolve({short: look_up(study, key) for short, key in keys.items()}, names)
    found = {short: present(keys[short], value) for short, value in found.items()}
    for short, one in params.items():
        if not isinstance(one, str):
            first, _, rest = one[1].partition(".")
            wanted = found[first].get(rest, ())
            found[short] = {name: entry for name, entry in found[short].items() if name in wanted}
    return found


def key_of(param: str | tuple[str, str]) -> str:
    """The section or key of the study that a parameter is of."""
    return param if isinstance(param, str) else param[0]


def in_setting(study: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """The study as one setting sees it: every ``per`` chosen, nothing that is null there."""
    return {section: present(section, value) for section, value in resolve(study, names).items()}


def present(section: str, value: Any) -> Any:  # noqa: ANN401
    """A section without the entries that are null here; anything else as it is."""
    if section not in OPTIONAL or not isinstance(value, dict):
        return value
    return {name: entry for name, entry in value.items() if entry is not None}


def bounded(attack: dict[str, Any]) -> bool:
    """Whether an attack, resolved, has an epsilon: without one it belongs to no threat model."""
    return attack.get("epsilon") is not None


def look_up(study: dict[str, Any], dotted: str) -> Any:  # noqa: ANN401
    """``look_up(study, "attacks.pgd")``. Raises StudyError with the names that are there."""
    found: Any = study
    for part in dotted.split("."):
        if not isinstance(found, dict) or part not in found:
            there = ", ".join(map(str, found)) if isinstance(found, dict) else repr(found)
            raise StudyError(f"no {dotted!r} in the study: no {part!r} among {there}")
        found = found[part]
    return found
