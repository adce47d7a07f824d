"""Expected rows of single entries of a study, by the ``outline`` of their methods."""

from typing import Any, Protocol

from pipeline.study.quantities import COMPLEXITY_QUANTITIES, DETECTION_SIZES, NETWORK_ACCURACY
from robustinfo.core.settings import Entry, Outline


class Layers(Protocol):
    """A network, or what a study says of one: the layers that measures read."""

    @property
    def probes(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def activations(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def logits(self) -> tuple[str, ...]: ...  # noqa: D102


def of_measure(layers: Layers, entry: Entry) -> Outline:
    """Rows of a measure, of every layer that it reads and of the network; none without a layer."""
    from robustinfo.core import registry

    points = getattr(layers, registry.module("measures", entry).POINTS)
    groups = method_outline("measures", entry) if points else []
    return [{"layer": points} | group for group in groups]


def of_learning(entry: Entry) -> Outline:
    """Rows of a learning method, and of the sets of images that it learns from.

    network_accuracy  fraction of a set's images that the run's own network classifies correctly
    """
    sets = {"quantity": (NETWORK_ACCURACY,), "input": ("clean", *entry.get("attacks", ()))}
    return [*method_outline("learning", entry), *([sets] if "attacks" in entry else [])]


def of_detection(study: dict[str, Any], entry: Entry) -> Outline:
    """Rows of the detection of one attack by every complexity of the study, at every level.

    attack_success_rate_8bit  of the images correct when clean, the fraction turned after rounding
    median_linf, median_l2, median_l1  median distance of measured images from the clean ones
    mean  the complexity of the measured images, on average, in its own unit
    clean_mean  of the same images before the attack
    auc  of the complexity as a detector: 0.5 is chance, above it attacked is more complex
    """
    groups = [
        {"quantity": DETECTION_SIZES},
        {"entry": tuple(study["complexities"]), "quantity": COMPLEXITY_QUANTITIES},
    ]
    return [sweep_levels(entry) | group for group in groups]


def method_outline(kind: str, entry: Entry) -> Outline:
    """The outline of an entry's method, at the first level of its sweep."""
    from robustinfo.core import registry

    levels = [variant for _, variant in registry.sweep(entry)]
    outline = registry.module(kind, entry).outline
    return outline(registry.config(kind, levels[0])) if levels else []


def sweep_levels(entry: Entry) -> dict[str, tuple]:
    """``{"level": values}`` of the entry's sweep; without one, no column."""
    from robustinfo.core import registry

    return {"level": tuple(level for level, _ in registry.sweep(entry))} if "sweep" in entry else {}


def of_diagnostics(entries: dict[str, Entry]) -> Outline:
    """Rows of diagnostics, with the summaries of every accuracy curve over epsilon.

    rise_with_epsilon  the largest rise of the accuracy from an epsilon to a larger one
    accuracy_at_huge_epsilon  fraction of the images correct where an attack may paint any image
    zero_epsilon_gap  how far the accuracy at epsilon 0 is from the clean one
    """
    outline = []
    for name, entry in entries.items():
        outline += [
            {"entry": (name,)} | group | sweep_levels(entry)
            for group in method_outline("diagnostics", entry)
        ]
        if entry["method"] == "attack_accuracy" and "epsilon" in entry.get("sweep", {}):
            curve_quantities = ("rise_with_epsilon", "accuracy_at_huge_epsilon", "zero_epsilon_gap")
            outline.append({"entry": (name,), "quantity": curve_quantities})
    return outline
