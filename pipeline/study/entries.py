"""Checks of the entries of a study in one setting, each by the ``Config`` of its method."""

import json
from functools import cache
from typing import Any

from pipeline.study import external, sizes
from pipeline.study.slices import KINDS, NESTED_ENTRIES, OPTIONAL, TRAININGS
from pipeline.study.strict_yaml import Key, abbreviated
from pipeline.study.validation import Fail, validated
from robustinfo.core.registry import STORED
from robustinfo.core.settings import Entry, out_of_scale, pixels

# The sections whose entries may ``sweep``.
SWEPT = ("distortions", "diagnostics", "snapshot_diagnostics", "detection")
# Input shapes of networks that are built for the check: (c, h, w); (length, vocabulary size).
SHAPES = {"images": (3, 64, 64), "texts": (64, 100)}
MAX_SIZE = 10_000  # layers, channels, neurons or networks in a network that is built for the check


def check_entries(setting: dict[str, str], study: dict, fail: Fail) -> int | None:
    """Check that every entry names a method and gives it settings that it takes.

    Returns the number of values of one image; None of texts, and where the size is not known.
    """
    from robustinfo.core import registry
    from robustinfo.training import loop

    dimension = None
    for section, kind in KINDS.items():
        for name, entry in study[section].items():
            key = (section, name)
            for swept, variant in _sweep_levels(section, entry, key, fail):
                _check_entry(kind, swept, variant, key, dimension, fail)
            for attack in _attacks_read(section, entry):
                if attack not in study["attacks"]:
                    choices = ", ".join(study["attacks"]) or "none"
                    raise fail(key, f"no attack {attack!r} here among {choices}")
            if section == "snapshot_attacks" and _role(entry) == "adaptive":
                raise fail((*key, "method"), "snapshots are attacked without knowing the defence")
            if section == "snapshot_diagnostics" and _needs_attacks(entry):
                problem = "speaks of what attacks left of the finished network: of `diagnostics`"
                raise fail((*key, "method"), problem)
        if section == "datasets":  # the first: the others are held against its images
            dimension = sizes.input_dimension(study["datasets"][setting["dataset"]])
    measure = study["measures"].get(study["training_measure"])
    if measure is not None and registry.hook("measures", measure, "add") is None:
        problem = f"{measure['method']} takes all images at once; a training set comes in parts"
        raise fail(("training_measure",), problem)
    for section in TRAININGS:
        for name, numbers in study[section].items():
            validated(loop.Config, numbers, (section, name), fail)
    for norm, size in study["threat"].items():
        if size is not None and (problem := out_of_scale(pixels(size), norm, dimension)):
            raise fail(("threat", norm), problem)
    return dimension


def _attacks_read(section: str, entry: Entry) -> list[str]:
    """Names of the attacks that an entry makes, or whose stored examples it reads."""
    if section == "learning":
        return entry.get("attacks", [])
    return [entry[key] for key in STORED if section == "diagnostics" and key in entry]


def check_inputs(setting: dict[str, str], study: dict, fail: Fail) -> None:
    """Check that every entry of the setting reads what its data set holds, images or texts."""
    from robustinfo.core import registry

    dataset, model = setting["dataset"], setting["model"]
    dataset_content = registry.reads("datasets", study["datasets"][dataset])
    if dataset_content == "texts" and (others := external.names(study)):
        problem = f"reads images, and {dataset} holds texts"
        raise fail(("defences", others[0], external.NETWORK), problem)
    study = external.only_trained(study)
    if dataset_content == "texts" and study["detection"]:
        raise fail(("detection",), f"is of images, and {dataset} holds texts; write null for it")
    used = [("models", model, study["models"][model])]
    for section in OPTIONAL:
        used += [(section, name, entry) for name, entry in study[section].items()]
    for section, name, entry in used:
        reads = registry.reads(KINDS[section], entry)
        if reads not in (None, dataset_content):
            problem = f"{entry['method']} reads {reads}, and {dataset} holds {dataset_content}"
            raise fail((section, name, "method"), problem)
    for section in TRAININGS:
        for name, numbers in study[section].items():
            if dataset_content == "texts" and numbers.get("augmentation"):
                raise fail((section, name, "augmentation"), f"{dataset} holds texts; leave it out")


def _needs_attacks(entry: Entry) -> bool:
    from robustinfo.core import registry

    fields = registry.module("diagnostics", entry).Config.model_fields
    return "examples" in fields or registry.hook("diagnostics", entry, "OF_RESISTING")


def _role(entry: Entry) -> str:
    from robustinfo.core import registry

    return registry.module("attacks", entry).ROLE


def _sweep_levels(section: str, entry: Entry, key: Key, fail: Fail) -> list[tuple[str, Entry]]:
    """(swept setting, entry) at every level of the entry's sweep; without a sweep, ("", entry)."""
    from robustinfo.core import registry

    if "sweep" not in entry:
        return [("", entry)]
    if section not in SWEPT:
        raise fail((*key, "sweep"), f"only {', '.join(SWEPT)} are swept")
    shape = entry["sweep"]
    lists = isinstance(shape, dict) and [*map(type, shape.values())] == [list]
    if not (lists and all(shape.values()) and "method" not in shape):
        raise fail(
            (*key, "sweep"), f"reads {abbreviated(shape)}; write one setting with a list of values"
        )
    return [(*shape, variant) for _, variant in registry.sweep(entry)]


def _check_entry(
    kind: str, swept: str, entry: Entry, key: Key, dimension: int | None, fail: Fail
) -> None:
    from robustinfo.core import registry

    try:
        schema = registry.module(kind, entry).Config
    except ValueError as error:
        raise fail((*key, "method"), str(error)) from None
    numbers = {name: value for name, value in entry.items() if name != "method"}
    config = validated(schema, numbers, key, fail)
    for place, problem in sizes.problems(config, dimension):
        if not sizes.is_huge_end(kind, config, swept):
            where = ("sweep", *place) if place[0] == swept else place
            raise fail((*key, *where), problem)
    for inner in NESTED_ENTRIES.keys() & schema.model_fields.keys():
        nested_key = (*key, inner)
        nested_kind, nested = NESTED_ENTRIES[inner], getattr(config, inner)
        for level, variant in _sweep_levels(nested_kind, nested, nested_key, fail):
            _check_entry(nested_kind, level, variant, nested_key, dimension, fail)
    if kind == "models":
        for name, number in numbers.items():
            if isinstance(number, int) and number > MAX_SIZE:
                problem = f"no network of a study has {number:,}; at most {MAX_SIZE:,}"
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
