"""The entries of a study, in one setting: each names a method and gives it what it takes."""

import json
from functools import cache
from typing import Any

from pipeline.study import sizes
from pipeline.study.slices import INNER, KINDS, OPTIONAL, TRAININGS
from pipeline.study.strict_yaml import Key, shown
from pipeline.study.validation import Fail, validated
from robustinfo.core.registry import STORED
from robustinfo.core.settings import Entry, out_of_scale, pixels

# The sections whose entries may ``sweep``.
SWEPT = ("distortions", "diagnostics", "snapshot_diagnostics", "detection")
# For networks that are built to be checked: (c, h, w); words of a text, words there are.
SHAPES = {"images": (3, 64, 64), "texts": (64, 100)}
LARGEST = 10_000  # layers, channels, neurons, networks: of a network that is built to be checked


def check_entries(setting: dict[str, str], study: dict, fail: Fail) -> int | None:
    """Every entry names a method and gives it numbers that it takes. The values of one image.

    None of texts, and of images whose size is not known.
    """
    from robustinfo.core import registry
    from robustinfo.training import loop

    values = None
    for section, kind in KINDS.items():
        for name, entry in study[section].items():
            key = (section, name)
            for level, one in _swept(section, entry, key, fail):
                _check_entry(kind, level, one, key, values, fail)
            for attack in _attacks_read(section, entry):
                if attack not in study["attacks"]:
                    choices = ", ".join(study["attacks"])
                    raise fail(key, f"no attack {attack!r} here among {choices}")
            if section == "snapshot_attacks" and _role(entry) == "adaptive":
                raise fail((*key, "method"), "snapshots are attacked without knowing the defence")
            if section == "snapshot_diagnostics" and _needs_attacks(entry):
                problem = "speaks of what attacks left of the finished network: of `diagnostics`"
                raise fail((*key, "method"), problem)
        if section == "datasets":  # the first: the others are held against its images
            values = sizes.values_of(study["datasets"][setting["dataset"]])
    measure = study["measures"].get(study["training_measure"])
    if measure is not None and registry.hook("measures", measure, "add") is None:
        problem = f"{measure['method']} takes all images at once; a training set comes in parts"
        raise fail(("training_measure",), problem)
    for section in TRAININGS:
        for name, numbers in study[section].items():
            validated(loop.Config, numbers, (section, name), fail)
    for norm, size in study["threat"].items():
        if size is not None and (problem := out_of_scale(pixels(size), norm, values)):
            raise fail(("threat", norm), problem)
    return values


def _attacks_read(section: str, entry: Entry) -> list[str]:
    """The attacks of the study that an entry makes, or whose stored examples it reads."""
    if section == "learning":
        return entry.get("attacks", [])
    return [entry[key] for key in STORED if section == "diagnostics" and key in entry]


def check_inputs(setting: dict[str, str], study: dict, fail: Fail) -> None:
    """Everything that the setting uses reads what its data set holds, images or texts."""
    from robustinfo.core import registry

    dataset, model = setting["dataset"], setting["model"]
    held = registry.reads("datasets", study["datasets"][dataset])
    if held == "texts" and study["detection"]:
        raise fail(("detection",), f"is of images, and {dataset} holds texts; write null for it")
    used = [("models", model, study["models"][model])]
    for section in OPTIONAL:
        used += [(section, name, entry) for name, entry in study[section].items()]
    for section, name, entry in used:
        reads = registry.reads(KINDS[section], entry)
        if reads not in (None, held):
            problem = f"{entry['method']} reads {reads}, and {dataset} holds {held}"
            raise fail((section, name, "method"), problem)
    for section in TRAININGS:
        for name, numbers in study[section].items():
            if held == "texts" and numbers.get("augmentation"):
                raise fail((section, name, "augmentation"), f"{dataset} holds texts; leave it out")


def _needs_attacks(entry: Entry) -> bool:
    from robustinfo.core import registry

    fields = registry.module("diagnostics", entry).Config.model_fields
    return "examples" in fields or registry.hook("diagnostics", entry, "OF_RESISTING")


def _role(entry: Entry) -> str:
    from robustinfo.core import registry

    return registry.module("attacks", entry).ROLE


def _swept(section: str, entry: Entry, key: Key, fail: Fail) -> list[tuple[str, Entry]]:
    """(the setting that is swept, the entry) at every level of its sweep; without one, ("", it)."""
    from robustinfo.core import registry

    if "sweep" not in entry:
        return [("", entry)]
    if section not in SWEPT:
        raise fail((*key, "sweep"), f"only {', '.join(SWEPT)} are swept")
    shape = entry["sweep"]
    lists = isinstance(shape, dict) and [*map(type, shape.values())] == [list]
    if not (lists and all(shape.values()) and "method" not in shape):
        raise fail(
            (*key, "sweep"), f"reads {shown(shape)}; write one setting with a list of values"
        )
    return [(*shape, one) for _, one in registry.sweep(entry)]


def _check_entry(
    kind: str, swept: str, entry: Entry, key: Key, values: int | None, fail: Fail
) -> None:
    from robustinfo.core import registry

    try:
        schema = registry.module(kind, entry).Config
    except ValueError as error:
        raise fail((*key, "method"), str(error)) from None
    numbers = {name: value for name, value in entry.items() if name != "method"}
    config = validated(schema, numbers, key, fail)
    for place, problem in sizes.problems(config, values):
        if not sizes.is_huge_end(kind, config, swept):
            where = ("sweep", *place) if place[0] == swept else place
            raise fail((*key, *where), problem)
    for inner in INNER.keys() & schema.model_fields.keys():
        for level, one in _swept(INNER[inner], getattr(config, inner), (*key, inner), fail):
            _check_entry(INNER[inner], level, one, (*key, inner), values, fail)
    if kind == "models":
        for name, number in numbers.items():
            if isinstance(number, int) and number > LARGEST:
                problem = f"no network of a study has {number:,}; at most {LARGEST:,}"
                raise fail((*key, name), problem)
        try:  # an unknown layer among its points
            network(entry)
        except (ValueError, RuntimeError) as error:
            raise fail(key, str(error).splitlines()[0]) from None


def network(entry: Entry) -> Any:  # noqa: ANN401 - torch is imported where networks are
    """The network of an entry, without weights, for any input that it can read.

    Raises ValueError where one of its points is no layer.
    """
    return _network(json.dumps(entry))


@cache
def _network(text: str) -> Any:  # noqa: ANN401
    import torch

    from robustinfo.core import registry

    entry = json.loads(text)
    with torch.device("meta"):
        return registry.get("models", entry)(
            SHAPES[registry.reads("models", entry) or "images"], 10
        )
