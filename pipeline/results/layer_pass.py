"""Evaluation of a network on clean or adversarial inputs in one pass: predictions, and measures.

The activations of all layers are held on the device and freed one by one as they are measured;
none is written to disk. They and the measuring of one layer are the peak of the memory:
5,000 images in a WRN-28-10 take 5.2 GiB at the five probes, in float32. A measure with ``add`` and
``measurements`` in its file can be taken by ``evaluate_in_batches``, of a whole training set.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from robustinfo.core import registry
from robustinfo.core.batches import EVALUATION_BATCH
from robustinfo.core.measurement import Measurement, mean
from robustinfo.core.settings import Entry
from robustinfo.models._network import Network


class LayerEvaluation(NamedTuple):
    """right: (n,) bool, classified correctly; measurements: the mean loss, and all measures."""

    right: Tensor
    measurements: list[Measurement]


def adversarial_inputs(
    model: Network, entry: Entry, x: Tensor, y: Tensor, *, generator: Generator
) -> Tensor:
    """Adversarial inputs (n, ...): the attack's ``craft`` where it has one, else its successes.

    Without ``craft``, an input on which the attack fails stays clean.
    """
    craft, config = registry.hook("attacks", entry, "craft"), registry.config("attacks", entry)
    batches = []
    for a, b in zip(x.split(EVALUATION_BATCH), y.split(EVALUATION_BATCH), strict=True):
        if craft:
            batches.append(craft(model, a, b, config=config, generator=generator))
        else:
            batches.append(registry.get("attacks", entry)(model, a, b, generator=generator)[0])
    return torch.cat(batches)


def evaluate_layers(
    model: Network, x: Tensor, y: Tensor, measures: dict[str, Entry]
) -> LayerEvaluation:
    """Predictions, mean loss and measures of layers on given inputs.

    x: (n, ...) inputs and y: (n,) labels on the model's device; the model in eval mode. ``loss`` is
    the mean cross-entropy in nats. A measurement has its estimator (entry), its layer, the ceiling
    that n allows, and whether it is saturated.
    """
    points, extra_inputs = {}, {}
    for name, entry in measures.items():
        points[name] = getattr(model, registry.module("measures", entry).POINTS)
        extra_inputs[name] = {"x": x} if registry.hook("measures", entry, "SEES_INPUTS") else {}
    logits, layers = _forward(model, x, tuple(dict.fromkeys(sum(points.values(), ()))))
    by_layer: dict[str, dict[str, list[Measurement]]] = {name: {} for name in measures}
    while layers:
        layer = next(iter(layers))
        t = layers.pop(layer)
        for name, entry in measures.items():
            if layer in points[name]:
                by_layer[name][layer] = registry.get("measures", entry)(t, y, **extra_inputs[name])
        del t
    measurements = [mean("loss", F.cross_entropy(logits, y, reduction="none"))]
    for name, entry in measures.items():
        measurements += _with_layers(name, entry, by_layer[name])
    return LayerEvaluation(logits.argmax(1) == y, measurements)


@torch.no_grad()
def evaluate_in_batches(
    model: Network, batches: Iterable[tuple[Tensor, Tensor]], name: str, entry: Entry
) -> LayerEvaluation:
    """``evaluate_layers`` by one measure, ``entry``, of inputs and labels that come in batches."""
    module, config = registry.module("measures", entry), registry.config("measures", entry)
    add, finish = (registry.hook("measures", entry, one) for one in ("add", "measurements"))
    accumulated: dict[str, list[torch.Tensor]] = {}
    right, losses = [], []
    for x, y in batches:
        logits, seen = model.observe(x, getattr(model, module.POINTS))
        right.append(logits.argmax(1) == y)
        losses.append(F.cross_entropy(logits, y, reduction="none"))
        for layer, t in seen.items():
            accumulated[layer] = add(accumulated.get(layer), t, config=config)
    measurements = [mean("loss", torch.cat(losses))]
    measurements += _with_layers(
        name, entry, {at: finish(h, config=config) for at, h in accumulated.items()}
    )
    return LayerEvaluation(torch.cat(right), measurements)


@torch.no_grad()
def _forward(
    model: Network, x: Tensor, points: tuple[str, ...]
) -> tuple[Tensor, dict[str, Tensor]]:
    """Logits (n, K) and {layer: activations (n, d)}, each filled batch by batch without a copy."""
    logits: list[Tensor] = []
    layers: dict[str, Tensor] = {}
    for first in range(0, len(x), EVALUATION_BATCH):
        batch_logits, seen = model.observe(x[first : first + EVALUATION_BATCH], points)
        logits.append(batch_logits)
        for point, t in seen.items():
            if point not in layers:
                layers[point] = t.new_empty(len(x), t.shape[1])
            layers[point][first : first + len(t)] = t
    return torch.cat(logits), layers


def _with_layers(
    name: str, entry: Entry, layers: dict[str, list[Measurement]]
) -> Iterator[Measurement]:
    if layers and (combine := registry.hook("measures", entry, "combine")):
        layers = layers | {"network": combine(layers)}
    for layer, measurements in layers.items():
        yield from (measurement._replace(entry=name, layer=layer) for measurement in measurements)
