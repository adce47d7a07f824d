"""What entries of a study will call their rows, by the ``outline`` of their methods."""

from typing import Any

from pipeline.study.entries import network
from pipeline.study.quantities import DETECTED, NETWORK_ACCURACY, SIZES
from robustinfo.core.settings import Entry, Outline


def measured(model: Entry, entry: Entry) -> Outline:
    """What a measure says of every layer that it reads, and of the network."""
    from robustinfo.core import registry

    points = getattr(network(model), registry.module("measures", entry).POINTS)
    return [{"layer": points} | group for group in rows_of("measures", entry)]


def learned(entry: Entry) -> Outline:
    """What a method of learning says, and of the sets of images that it is given.

    network_accuracy  fraction of a set's images that the run's own network classifies correctly
    """
    sets = {"quantity": (NETWORK_ACCURACY,), "input": ("clean", *entry.get("attacks", ()))}
    return [*rows_of("learning", entry), *([sets] if "attacks" in entry else [])]


def detected(study: dict[str, Any], entry: Entry) -> Outline:
    """What is said of one attack, and of it by every complexity of the study, at every level.

    attack_success_rate_8bit  of the images correct when clean, the fraction turned after rounding
    median_l2, median_linf  median distance from the clean image, of the images that are measured
    mean  the complexity of the measured images, on average, in its own unit
    clean_mean  of the same images before the attack
    auc  how well the complexity tells them apart: 0.5 is chance, above it attacked is more complex
    """
    told = [{"quantity": SIZES}, {"entry": tuple(study["complexities"]), "quantity": DETECTED}]
    return [levels_of(entry) | group for group in told]


def rows_of(kind: str, entry: Entry) -> Outline:
    """The outline of an entry's method, at the first level of its sweep."""
    from robustinfo.core import registry

    levels = [one for _, one in registry.sweep(entry)]
    outline = registry.module(kind, entry).outline
    return outline(registry.config(kind, levels[0])) if levels else []


def levels_of(entry: Entry) -> dict[str, tuple]:
    """The values of the entry's sweep, as the column ``level``; without one, no column."""
    from robustinfo.core import registry

    return {"level": tuple(level for level, _ in registry.sweep(entry))} if "sweep" in entry else {}


def of_diagnostics(entries: dict[str, Entry]) -> Outline:
    """What diagnostics say, and what is made of a curve over epsilon.

    rise_with_epsilon  the largest rise of the accuracy from an epsilon to a larger one
    accuracy_at_huge_epsilon  fraction of the images correct where an attack may paint any image
    zero_epsilon_gap  how far the accuracy at epsilon 0 is from the clean one
    """
    found = []
    for name, entry in entries.items():
        found += [
            {"entry": (name,)} | one | levels_of(entry) for one in rows_of("diagnostics", entry)
        ]
        if entry["method"] == "attack_accuracy" and "epsilon" in entry.get("sweep", {}):
            told = ("rise_with_epsilon", "accuracy_at_huge_epsilon", "zero_epsilon_gap")
            found.append({"entry": (name,), "quantity": told})
    return found
