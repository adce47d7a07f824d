"""One check of everything in a study file, before any job starts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline import names, per
from pipeline.conclusions import check_conclusions, check_tested, check_verdict
from pipeline.paths import TRAININGS
from pipeline.relations import check_names, check_selection, check_somewhere
from pipeline.schema import Setting, Study
from pipeline.slices import INNER, KINDS, OPTIONAL, in_setting
from pipeline.strict_yaml import Key, StudyError, read, shown
from pipeline.validation import Fail, check_containers, validated
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

    for key, problem in per.misplaced(content):
        raise fail(key, problem)
    check_containers(Study, content, fail)
    for setting, one in _in_each_setting(content, fail):
        check_names(one, fail)
        check_selection(setting, one, fail)
        _check_entries(one, fail)
        _check_inputs(setting, one, fail)
        check_verdict(one, fail)
        check_tested(one, fail)
    check_conclusions(content, fail)
    return content


def _in_each_setting(content: dict, fail: Fail) -> Iterator[tuple[dict, dict]]:
    """Each setting, and the study as it sees it: every ``per`` chosen, of the schema's shape."""
    for index, setting in enumerate(content["settings"]):
        if not isinstance(setting, dict):
            problem = f"is a mapping of dataset and model; it reads {shown(setting)}"
            raise fail(("settings", index), problem)
        validated(Setting, setting, ("settings", index), fail)
    for key, problem in per.problems(content, content["settings"]):
        raise fail(key, problem)
    seen = [in_setting(content, setting) for setting in content["settings"]]
    for one in seen or [content]:  # without a setting, the schema asks for one
        validated(Study, one, (), fail)
        for key, problem in names.problems(one):
            raise fail(key, problem)
    check_somewhere(content, seen, fail)
    yield from zip(content["settings"], seen, strict=True)


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
