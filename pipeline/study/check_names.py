"""What one section of a study says of another: every name is an entry there, and fits."""

from collections.abc import Iterable
from typing import Any

from pipeline.study.per import PER
from pipeline.study.slices import OPTIONAL, TRAININGS
from pipeline.study.strict_yaml import Key
from pipeline.study.validation import Fail, suggested


def check_somewhere(content: dict[str, Any], seen: list[dict[str, Any]], fail: Fail) -> None:
    """No entry is null in every setting, and what trains or is transferred is a defence of one.

    seen: the study as each setting sees it.
    """
    for section in OPTIONAL:
        for name in _entries(content, section):
            if not any(name in one[section] for one in seen):
                raise fail((section, name), "is null in every setting")
    used: list[tuple[Key, str]] = [
        ((section, name), name) for section in TRAININGS for name in _entries(content, section)
    ]
    for index, one in enumerate(content["transfers"]):
        used.append((("transfers", index, "defence"), one["defence"]))
    used += [(("selection", "compared"), name) for name in content["selection"]["compared"]]
    for key, name in used:
        if not any(name in one["defences"] for one in seen):
            raise fail(key, f"no {name!r}{suggested(name, content['defences'])}")
    attack = content["selection"].get("attack")
    if attack and not any(attack in one["attacks"] for one in seen):
        choices = suggested(attack, content["attacks"])
        raise fail(("selection", "attack"), f"no {attack!r}{choices}")


def _entries(content: dict[str, Any], section: str) -> Iterable[str]:
    """Its names, where the whole section is not one choice by setting."""
    return () if content[section].keys() == {PER} else content[section]


def check_names(study: dict, fail: Fail) -> None:
    """Every name that one section uses is an entry of another."""

    def known(key: Key, name: str, there: Iterable[str]) -> None:
        if name not in there:
            raise fail(key, f"no {name!r} among {', '.join(there)}")

    for index, setting in enumerate(study["settings"]):
        known(("settings", index, "dataset"), setting["dataset"], study["datasets"])
        known(("settings", index, "model"), setting["model"], study["models"])
        if setting in study["settings"][:index]:
            raise fail(("settings", index), f"stands twice: {setting}")
    trained = [name for section in TRAININGS for name in study[section]]
    for name in study["defences"]:
        if trained.count(name) != 1:
            sections = ", ".join(f"`{section}`" for section in TRAININGS)
            raise fail(("defences", name), f"must stand in exactly one of {sections}")
    if study["retrain"]:
        known(("retrain_from",), study["retrain_from"], study["pretrain"])
        known(("retrain_from",), study["retrain_from"], study["defences"])
    proxied = [one["defence"] for one in study["transfers"]]
    for index, one in enumerate(study["transfers"]):
        if one["defence"] in study["defences"]:
            known(("transfers", index, "proxy"), one["proxy"], study["defences"])
        if one["proxy"] == one["defence"] or proxied.count(one["defence"]) > 1:
            raise fail(("transfers", index), "a defence has one proxy, and is not its own")
    for name in study["distorted"]["inputs"]:
        known(("distorted", "inputs"), name, ["clean", *study["snapshot_attacks"]])
    for name in study["distorted"]["measures"]:
        known(("distorted", "measures"), name, study["measures"])
    if study["training_measure"] is not None:
        known(("training_measure",), study["training_measure"], study["measures"])
    if len(set(study["seeds"])) != len(study["seeds"]):
        raise fail(("seeds",), f"a seed stands twice in {study['seeds']}")


def check_selection(setting: dict[str, str], study: dict, fail: Fail) -> None:
    """What is compared is there, and defends layers; what waits for it is told which.

    Nothing else depends on what waits: without a layer it is not trained.
    """
    from robustinfo.core import registry

    selection, defences = study["selection"], study["defences"]
    needed: list[tuple[Key, Any]] = [(("verdict", "twin"), study["verdict"].get("twin"))]
    needed += [
        (("transfers", i, "proxy"), one["proxy"]) for i, one in enumerate(study["transfers"])
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
    for index, one in enumerate(selection["settings"]):
        if one not in study["settings"]:
            raise fail(("selection", "settings", index), f"no such setting: {one}")
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
