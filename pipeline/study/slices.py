"""Slices of a study: the sections, and the values that one job may read. No torch."""

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
NESTED_ENTRIES = {
    "base": "defences",
    "loss": "losses",
    "adversary": "attacks",
    "distortion": "distortions",
    "complexity": "complexities",
    "network": "models",
    "measure": "measures",
}
# Sections whose entries may be null in a setting: they do not exist there.
OPTIONAL = (
    "defences", "attacks", "snapshot_attacks", "measures", "snapshot_diagnostics", "complexities",
    "distortions", "diagnostics", "learning", "detection",
)  # fmt: skip


Keys = dict[str, str | tuple[str, str]]


def slices(study: dict[str, Any], params: Keys, names: dict[str, str]) -> dict[str, Any]:
    """{short name: value}: all of the study that a job may read.

    params: {short name: key, such as ``attacks.{attack}``}. A name in braces is one of the job's or
    of the study's. A pair selects entries of a section by another parameter, as
    ("attacks", "learning.attacks") those attacks that the entry ``learning`` lists.
    """
    keys = {short: key_of(param).format(**study | names) for short, param in params.items()}
    values = resolve({short: look_up(study, key) for short, key in keys.items()}, names)
    values = {short: drop_null(keys[short], value) for short, value in values.items()}
    for short, param in params.items():
        if not isinstance(param, str):
            selector, _, field = param[1].partition(".")
            selected = values[selector].get(field, ())
            values[short] = {name: one for name, one in values[short].items() if name in selected}
    return values


def key_of(param: str | tuple[str, str]) -> str:
    """The study key of a parameter, without the selection of entries."""
    return param if isinstance(param, str) else param[0]


def in_setting(study: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """The study in one setting: every ``per`` resolved, and no entry that is null there."""
    return {section: drop_null(section, value) for section, value in resolve(study, names).items()}


def drop_null(section: str, value: Any) -> Any:  # noqa: ANN401
    """A section without the entries that are null here; anything else as it is."""
    if section not in OPTIONAL or not isinstance(value, dict):
        return value
    return {name: entry for name, entry in value.items() if entry is not None}


def has_epsilon(attack: dict[str, Any]) -> bool:
    """Whether a resolved attack has an epsilon: without one it belongs to no threat model."""
    return attack.get("epsilon") is not None


def look_up(study: dict[str, Any], dotted: str) -> Any:  # noqa: ANN401
    """Value of a dotted key, as "attacks.pgd". Raises StudyError with the names that exist."""
    node: Any = study
    for name in dotted.split("."):
        if not isinstance(node, dict) or name not in node:
            choices = ", ".join(map(str, node)) if isinstance(node, dict) else repr(node)
            raise StudyError(f"no {dotted!r} in the study: no {name!r} among {choices}")
        node = node[name]
    return node
