"""Defences that are an earlier epoch of another one's training: the section ``stop_early``."""

from typing import Any

from pipeline.study.slices import TRAININGS
from pipeline.study.validation import Fail

SECTION = "stop_early"
SOURCES = ("pretrain", "retrain")  # whose networks are sure to be trained


def names(study: dict[str, Any]) -> list[str]:
    """Names of these defences, in a setting."""
    return [one["defence"] for one in study[SECTION] if one["defence"] in study["defences"]]


def trained_as(study: dict[str, Any], defence: str) -> str:
    """The defence whose training gave a defence's network: itself, or the one it is an epoch of."""
    return next((one["of"] for one in study[SECTION] if one["defence"] == defence), defence)


def training_of(study: dict[str, Any], defence: str) -> dict[str, Any]:
    """Settings of the training that gave a defence's network."""
    trained = trained_as(study, defence)
    return next(study[section][trained] for section in TRAININGS if trained in study[section])


def snapshot_epochs(training: dict[str, Any]) -> list[int]:
    """Epochs of a training's snapshots, in order; 0 is before its first step."""
    last = training["epochs"]
    return sorted({*range(0, last, training["snapshot_every"]), last})


def check_stop_early(study: dict[str, Any], fail: Fail) -> None:
    """Check every choice of an epoch in a setting: there are snapshots and images to choose by."""
    for index, entry in enumerate(study[SECTION]):
        if entry["defence"] in study["defences"]:
            _check_choice(entry, (SECTION, index), study, fail)
    chosen = set(names(study))
    for name in study["selection"]["compared"]:
        if name in chosen:
            problem = f"{name} was chosen by the very images that would select layers"
            raise fail(("selection", "compared"), problem)


def _check_choice(entry: dict[str, str], key: tuple, study: dict[str, Any], fail: Fail) -> None:
    name, of, attack = entry["defence"], entry["of"], entry["attack"]
    defences = study["defences"]
    if of not in defences or not any(of in study[section] for section in SOURCES):
        trained = [one for section in SOURCES for one in study[section] if one in defences]
        problem = f"{of!r} is trained by neither `pretrain` nor `retrain`"
        raise fail((*key, "of"), f"{problem}; choose from {', '.join(trained)}")
    if defences[name] != defences[of]:
        problem = f"is an epoch of {of}, and must be the same entry, as `{name}: *{of}`"
        raise fail(("defences", name), problem)
    if _changed_at_the_end(defences[of]):
        problem = f"{of} is changed after its last epoch, which its snapshots are not"
        raise fail((*key, "of"), problem)
    if len(epochs := snapshot_epochs(training_of(study, of))) < 3:
        problem = f"{of} has one snapshot after epoch 0, of epoch {epochs[-1]}"
        raise fail((*key, "of"), f"{problem}; lower its `snapshot_every`")
    if not study["validation_share"]:
        raise fail((*key, "of"), "is chosen on held-out images; give a `validation_share`")
    if attack not in study["attacks"]:
        choices = ", ".join(study["attacks"])
        raise fail((*key, "attack"), f"no {attack!r} here among {choices}")
    if _role(study["attacks"][attack]) == "adaptive":
        raise fail((*key, "attack"), "snapshots are attacked without knowing the defence")


def _changed_at_the_end(entry: dict[str, Any]) -> bool:
    from robustinfo.core import registry

    finishes = registry.hook("defences", entry, "finishes")
    return finishes is not None and finishes(registry.config("defences", entry))


def _role(entry: dict[str, Any]) -> str:
    from robustinfo.core import registry

    return registry.module("attacks", entry).ROLE
