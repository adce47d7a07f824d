"""Checks between sections of a study: every name that one uses is an entry of another, and fits."""

from collections.abc import Iterable
from typing import Any

from pipeline.study import early
from pipeline.study.external import only_trained
from pipeline.study.per import PER
from pipeline.study.slices import OPTIONAL, TRAININGS
from pipeline.study.strict_yaml import Key
from pipeline.study.validation import Fail, suggestion


def check_any_setting(content: dict[str, Any], seen: list[dict[str, Any]], fail: Fail) -> None:
    """Check that every entry exists in some setting, and every trained or transferred defence.

    seen: the study in each setting.
    """
    for section in OPTIONAL:
        for name in _entries(content, section):
            if not any(name in study[section] for study in seen):
                raise fail((section, name), "is null in every setting")
    used: list[tuple[Key, str]] = [
        ((section, name), name) for section in TRAININGS for name in _entries(content, section)
    ]
    for index, transfer in enumerate(content["transfers"]):
        used.append((("transfers", index, "defence"), transfer["defence"]))
    for index, stopped in enumerate(content[early.SECTION]):
        used.append(((early.SECTION, index, "defence"), stopped["defence"]))
    used += [(("selection", "compared"), name) for name in content["selection"]["compared"]]
    for key, name in used:
        if not any(name in study["defences"] for study in seen):
            raise fail(key, f"no {name!r}{suggestion(name, content['defences'])}")
    attack = content["selection"].get("attack")
    if attack and not any(attack in study["attacks"] for study in seen):
        choices = suggestion(attack, content["attacks"])
        raise fail(("selection", "attack"), f"no {attack!r}{choices}")


def _entries(content: dict[str, Any], section: str) -> Iterable[str]:
    """Names of a section's entries; none where the whole section is one choice by setting."""
    return () if content[section].keys() == {PER} else content[section]


def check_names(study: dict, fail: Fail) -> None:
    """Check that every name that one section uses is an entry of another."""

    def require(key: Key, name: str, choices: Iterable[str]) -> None:
        if name not in choices:
            raise fail(key, f"no {name!r} among {', '.join(choices)}")

    for index, setting in enumerate(study["settings"]):
        require(("settings", index, "dataset"), setting["dataset"], study["datasets"])
        require(("settings", index, "model"), setting["model"], study["models"])
        if setting in study["settings"][:index]:
            raise fail(("settings", index), f"stands twice: {setting}")
    trained = [name for section in TRAININGS for name in study[section]]
    trained += [stopped["defence"] for stopped in study[early.SECTION]]
    for name in only_trained(study)["defences"]:
        if trained.count(name) != 1:
            sections = ", ".join(f"`{section}`" for section in (*TRAININGS, early.SECTION))
            raise fail(("defences", name), f"must stand in exactly one of {sections}")
    if study["retrain"]:
        require(("retrain_from",), study["retrain_from"], study["pretrain"])
        require(("retrain_from",), study["retrain_from"], study["defences"])
    proxied = [transfer["defence"] for transfer in study["transfers"]]
    for index, transfer in enumerate(study["transfers"]):
        defence, proxy = transfer["defence"], transfer["proxy"]
        if defence in study["defences"]:
            require(("transfers", index, "proxy"), proxy, study["defences"])
        if proxy == defence or proxied.count(defence) > 1:
            raise fail(("transfers", index), "a defence has one proxy, and is not its own")
    for name in study["distorted"]["inputs"]:
        require(("distorted", "inputs"), name, ["clean", *study["snapshot_attacks"]])
    for name in study["distorted"]["measures"]:
        require(("distorted", "measures"), name, study["measures"])
    if study["training_measure"] is not None:
        require(("training_measure",), study["training_measure"], study["measures"])
    if len(set(study["seeds"])) != len(study["seeds"]):
        raise fail(("seeds",), f"a seed stands twice in {study['seeds']}")


def check_selection(setting: dict[str, str], study: dict, fail: Fail) -> None:
    """Check the selection of layers: its candidates, and the defences that wait for its result.

    No other entry may depend on a defence that waits: without a selected layer it is not trained.
    """
    from robustinfo.core import registry

    selection, defences = study["selection"], study["defences"]
    needed: list[tuple[Key, Any]] = [(("verdict", "twin"), study["verdict"].get("twin"))]
    needed += [
        (("transfers", i, "proxy"), transfer["proxy"])
        for i, transfer in enumerate(study["transfers"])
    ]
    for key, name in needed:
        if name in study["train_selected"]:
            raise fail(key, f"{name} waits for a selected layer, and there may be none")
    for name in set(study["train_selected"]) & set(defences):
        if setting not in selection["settings"]:
            raise fail(("selection", "settings"), f"lack {setting}, where {name} waits for one")
        fields = registry.module("defences", defences[name]).Config.model_fields
        if "layers" not in fields or "layers" in defences[name]:
            problem = "is given its `layers` by the selection: it must take some, and name none"
            raise fail(("defences", name), problem)
    for index, selecting in enumerate(selection["settings"]):
        if selecting not in study["settings"]:
            raise fail(("selection", "settings", index), f"no such setting: {selecting}")
    if setting not in selection["settings"]:
        return
    compared = [name for name in selection["compared"] if name in defences]
    if len(compared) < 2 or study["validation_share"] == 0:
        problem = "needs two defences or more in `compared`, and a `validation_share`"
        raise fail(("selection",), problem)
    for name in compared:
        if name in study["train_selected"]:
            raise fail(("selection", "compared"), f"{name} waits for it itself")
        if name != compared[0] and not defences[name].get("layers"):
            problem = f"{name} is compared by its `layers` and names none"
            raise fail(("selection", "compared"), problem)
    if selection.get("attack") not in study["attacks"]:
        choices = ", ".join(study["attacks"])
        raise fail(("selection", "attack"), f"no {selection.get('attack')!r} among {choices}")
