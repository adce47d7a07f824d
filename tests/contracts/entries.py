"""Which entries are held to their contract: all of every study, and those that no study has."""

from pathlib import Path

import pytest
import torch

from pipeline.study.check import load
from pipeline.study.external import only_trained
from pipeline.study.slices import KINDS, in_setting
from robustinfo.core import registry
from tests.attacks.entries import ATTACKS
from tests.distortions.entries import CORRUPTIONS

FILES = [Path("params.yaml"), *sorted(Path("studies").glob("*.yaml"))]
STUDIES = {  # as each of its settings sees it
    f"{file}:{setting['dataset']}/{setting['model']}": only_trained(in_setting(study, setting))
    for file, study in zip(FILES, map(load, FILES), strict=True)
    for setting in study["settings"]
}
SHAPE, CLASSES = (1, 32, 32), 10
TEXT_SHAPE = (30, 60)  # words of a text, of the vocabulary


def held(kind):
    """{name: (entry, network or None)} of one folder, each once, at the first of its levels.

    network: the first of whose setting has the entry.
    """
    found = {}
    for file, study in STUDIES.items():
        network = study["models"].get(file.rpartition("/")[2])
        for section in (one for one, of in KINDS.items() if of == kind):
            for name, entry in study.get(section, {}).items():
                one = quick(kind, next(iter(registry.sweep(entry)))[1])
                found.setdefault(str(one), (f"{file}:{name}", one, network))
    entries = {name: (entry, network) for name, entry, network in found.values()}
    more = {"attacks": ATTACKS, "distortions": CORRUPTIONS}.get(kind, {})
    entries |= {name: (quick(kind, entry), None) for name, entry in more.items()}
    there = {entry["method"] for entry, _ in entries.values()}
    for name in registry.names(kind):
        if name not in there and all_by_default(kind, name):
            entries[name] = ({"method": name}, None)
    return entries


def all_by_default(kind, name):
    """Whether the method needs no number."""
    fields = registry.module(kind, {"method": name}).Config.model_fields
    return not any(field.is_required() for field in fields.values())


def each(kind, reads=("images", None)):
    """Every entry of a folder, and the network of its study; only those that read this."""
    entries = {n: e for n, e in held(kind).items() if registry.reads(kind, e[0]) in reads}
    return pytest.mark.parametrize(("entry", "network"), entries.values(), ids=entries)


def narrow(network):
    """The same layers with few channels: contracts do not ask for accuracy."""
    fields = registry.module("models", network).Config.model_fields
    least = {"width": 2, "hidden": 8, "depth": 10}
    own = network | {name: value for name, value in least.items() if name in fields}
    inner = {"network": narrow(network["network"])} if "network" in network else {}
    return own | inner


def built(network):
    torch.manual_seed(0)
    shape = TEXT_SHAPE if registry.reads("models", network) == "texts" else SHAPE
    return registry.get("models", narrow(network))(shape, CLASSES)


def quick(kind, entry):
    """The same with few steps: contracts do not ask for strength."""
    steps = 11 if kind == "diagnostics" else 2  # the path of an attack has more than ten
    least = {"steps": steps, "binary_search_steps": 2, "draws": 20, "perplexity": 2.0}
    least |= {"side": 5, "queries": 20, "population": 5, "first_labels": 10}
    if entry["method"] == "autoattack":
        epsilon = {"linf": 0.5, "l2": 8.0, "l1": 300.0}[registry.config(kind, entry).norm]
        return entry | {"epsilon": epsilon}  # images fall to the first of its attacks
    fields = registry.module(kind, entry).Config.model_fields
    return entry | {name: value for name, value in least.items() if name in fields}
