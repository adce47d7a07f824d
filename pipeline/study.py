"""One check of everything in a study file, before any job starts."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pipeline import per
from pipeline.conclusions import check_conclusions, check_verdict
from pipeline.paths import TRAININGS
from pipeline.schema import Fail, Study, validated
from pipeline.slices import INNER, KINDS, OPTIONAL, in_setting
from pipeline.strict_yaml import Key, StudyError, read
from robustinfo.settings import Entry

SWEPT = ("distortions", "diagnostics")  # the kinds whose entries may ``sweep``
# For networks that are built to be checked: (c, h, w); words of a text, words there are.
SHAPES = {"images": (3, 64, 64), "texts": (64, 100)}


def load(file: Path) -> dict[str, Any]:
    """The study after every check that needs no data. Raises StudyError at the first problem."""
    content, lines = read(file)

    def fail(key: Key, problem: str) -> StudyError:
        known = key
        while known and known not in lines:
            known = known[:-1]
        return StudyError(f"{file}:{lines.get(known, 1)}: {'.'.join(map(str, key))}: {problem}")

    for setting, one in _in_each_setting(content, fail):
        validated(Study, one, (), fail)
        _check_names(one, fail)
        _check_selection(setting, one, fail)
        _check_entries(one, fail)
        _check_inputs(setting, one, fail)
        check_verdict(one, fail)
    check_conclusions(content, fail)
    return content


def _in_each_setting(content: dict, fail: Fail) -> Iterator[tuple[dict, dict]]:
    """Each setting, and the study as it sees it, every ``per`` chosen."""
    settings = content.get("settings")
    if not (isinstance(settings, list) and settings and all(isinstance(s, dict) for s in settings)):
        yield {}, content  # which the schema will refuse
        return
    for key, problem in per.problems(content, settings):
        raise fail(key, problem)
    seen = [in_setting(content, setting) for setting in settings]
    for section in OPTIONAL:
        entries = content.get(section)
        for name in entries if isinstance(entries, dict) else ():
            if not any(name in one[section] for one in seen):
                raise fail((section, name), "is null in every setting")
    for index, one in enumerate(content.get("transfers") or ()):
        if one["defence"] not in content["defences"]:
            problem = f"no {one['defence']!r} among {', '.join(content['defences'])}"
            raise fail(("transfers", index, "defence"), problem)
    for section in TRAININGS:
        trained = content.get(section)
        for name in trained if isinstance(trained, dict) else ():
            if not any(name in one.get("defences", ()) for one in seen):
                choices = ", ".join(content.get("defences", ()))
                raise fail((section, name), f"no {name!r} among {choices}")
    yield from zip(settings, seen, strict=True)


def _check_names(study: dict, fail: Fail) -> None:
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
    if study["distorted"]["measure"] is not None:
        known(("distorted", "measure"), study["distorted"]["measure"], study["measures"])
    if len(set(study["seeds"])) != len(study["seeds"]):
        raise fail(("seeds",), f"a seed stands twice in {study['seeds']}")


def _check_selection(setting: dict[str, str], study: dict, fail: Fail) -> None:
    """What is compared is there, and defends layers; what waits for it is told which."""
    from robustinfo import catalogue

    selection, defences = study["selection"], study["defences"]
    for name in set(study["train_selected"]) & set(defences):
        if setting not in selection["settings"]:
            raise fail(("selection", "settings"), f"lack {setting}, where {name} waits for one")
        fields = catalogue.module("defences", defences[name]).Config.model_fields
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


def _check_entries(study: dict, fail: Fail) -> None:
    """Every entry names a method and gives it numbers that it takes."""
    from robustinfo import training

    for section, kind in KINDS.items():
        for name, entry in study[section].items():
            key = (section, name)
            for one in _swept(kind, entry, key, fail):
                _check_entry(kind, one, key, fail)
            for attack in _attacks_read(section, entry):
                if attack not in study["attacks"]:
                    choices = ", ".join(study["attacks"])
                    raise fail(key, f"no attack {attack!r} here among {choices}")
            if section == "snapshot_attacks" and _role(entry) == "adaptive":
                raise fail((*key, "method"), "snapshots are attacked without knowing the defence")
    for section in TRAININGS:
        for name, numbers in study[section].items():
            validated(training.Config, numbers, (section, name), fail)


def _attacks_read(section: str, entry: Entry) -> list[str]:
    """The attacks of the study whose stored examples an entry is made of."""
    if section == "learning":
        return entry.get("attacks", [])
    return [entry["examples"]] if section == "diagnostics" and "examples" in entry else []


def _check_inputs(setting: dict[str, str], study: dict, fail: Fail) -> None:
    """Everything that the setting uses reads what its data set holds, images or texts."""
    from robustinfo import catalogue

    dataset, model = setting["dataset"], setting["model"]
    held = catalogue.reads("datasets", study["datasets"][dataset])
    used = [("models", model, study["models"][model])]
    for section in OPTIONAL:
        used += [(section, name, entry) for name, entry in study[section].items()]
    for section, name, entry in used:
        reads = catalogue.reads(KINDS[section], entry)
        if reads not in (None, held):
            problem = f"{entry['method']} reads {reads}, and {dataset} holds {held}"
            raise fail((section, name, "method"), problem)
    for section in TRAININGS:
        for name, numbers in study[section].items():
            if held == "texts" and numbers.get("augmentation"):
                raise fail((section, name, "augmentation"), f"{dataset} holds texts; leave it out")


def _role(entry: Entry) -> str:
    from robustinfo import catalogue

    return catalogue.module("attacks", entry).ROLE


def _swept(kind: str, entry: Entry, key: Key, fail: Fail) -> list[Entry]:
    """The entry at every level of its sweep."""
    from robustinfo import catalogue

    if "sweep" in entry and kind not in SWEPT:
        raise fail((*key, "sweep"), f"only {' and '.join(SWEPT)} are swept")
    shape = entry.get("sweep", {"setting": []})
    if not (isinstance(shape, dict) and len(shape) == 1 and isinstance(*shape.values(), list)):
        raise fail((*key, "sweep"), f"reads {shape!r}; write one setting with a list of values")
    return [one for _, one in catalogue.sweep(entry)]


def _check_entry(kind: str, entry: Entry, key: Key, fail: Fail) -> None:
    import torch

    from robustinfo import catalogue

    try:
        schema = catalogue.module(kind, entry).Config
    except ValueError as error:
        raise fail((*key, "method"), str(error)) from None
    numbers = {name: value for name, value in entry.items() if name != "method"}
    config = validated(schema, numbers, key, fail)
    for inner in INNER.keys() & schema.model_fields.keys():
        for one in _swept(INNER[inner], getattr(config, inner), (*key, inner), fail):
            _check_entry(INNER[inner], one, (*key, inner), fail)
    if kind == "models":
        try:  # an unknown layer among its points; any input that the network can read will do
            with torch.device("meta"):
                catalogue.get(kind, entry)(SHAPES[catalogue.reads(kind, entry)], 10)
        except ValueError as error:
            raise fail(key, str(error)) from None
