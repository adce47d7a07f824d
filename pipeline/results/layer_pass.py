"""Inputs of a network, clean or attacked, and one pass over them: answers, and measures of layers.

The layers' activations are held together on the device and given back one by one as they are
measured; none is ever written to disk. That and one layer's measuring is the peak of the memory:
5,000 images in a WRN-28-10 take 5.2 GiB at the five probes, in float32. A measure that has ``add``
and ``measurements`` in its file can be taken ``in_parts`` instead, of a whole training set.
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


class Observed(NamedTuple):
    """right: (n,) bool, classified correctly; the mean loss, and what the measures say."""

    right: Tensor
    measurements: list[Measurement]


def crafted(model: Network, entry: Entry, x: Tensor, y: Tensor, *, generator: Generator) -> Tensor:
    """The attack's own images, (n, ...), where its file has ``craft``; else its successes.

    Those that ``perturb`` failed on are then the clean ones.
    """
    craft, config = registry.hook("attacks", entry, "craft"), registry.config("attacks", entry)
    found = []
    for a, b in zip(x.split(EVALUATION_BATCH), y.split(EVALUATION_BATCH), strict=True):
        if craft:
            found.append(craft(model, a, b, config=config, generator=generator))
        else:
            found.append(registry.get("attacks", entry)(model, a, b, generator=generator)[0])
    return torch.cat(found)


def observed(model: Network, x: Tensor, y: Tensor, measures: dict[str, Entry]) -> Observed:
    """x: (n, ...) inputs and y: (n,) labels on the model's device; the model in eval mode.

    ``loss`` is the mean cross-entropy in nats. A measure says its estimator (entry), its layer, the
    ceiling that n allows, and whether it sits there.
    """
    points, given = {}, {}
    for name, entry in measures.items():
        points[name] = getattr(model, registry.module("measures", entry).POINTS)
        given[name] = {"x": x} if registry.hook("measures", entry, "SEES_INPUTS") else {}
    logits, layers = _pass(model, x, tuple(dict.fromkeys(sum(points.values(), ()))))
    found: dict[str, dict[str, list[Measurement]]] = {name: {} for name in measures}
    while layers:
        layer = next(iter(layers))
        t = layers.pop(layer)
        for name, entry in measures.items():
            if layer in points[name]:
                found[name][layer] = registry.get("measures", entry)(t, y, **given[name])
        del t
    told = [mean("loss", F.cross_entropy(logits, y, reduction="none"))]
    for name, entry in measures.items():
        told += _of_layers(name, entry, found[name])
    return Observed(logits.argmax(1) == y, told)


@torch.no_grad()
def in_parts(
    model: Network, batches: Iterable[tuple[Tensor, Tensor]], name: str, entry: Entry
) -> Observed:
    """``observed`` by one measure, ``entry``, of inputs and labels that come batch by batch."""
    module, config = registry.module("measures", entry), registry.config("measures", entry)
    add, measurements = (registry.hook("measures", entry, one) for one in ("add", "measurements"))
    held: dict[str, list[torch.Tensor]] = {}
    right, losses = [], []
    for x, y in batches:
        logits, seen = model.observe(x, getattr(model, module.POINTS))
        right.append(logits.argmax(1) == y)
        losses.append(F.cross_entropy(logits, y, reduction="none"))
        for layer, t in seen.items():
            held[layer] = add(held.get(layer), t, config=config)
    told = [mean("loss", torch.cat(losses))]
    told += _of_layers(name, entry, {at: measurements(h, config=config) for at, h in held.items()})
    return Observed(torch.cat(right), told)


@torch.no_grad()
def _pass(model: Network, x: Tensor, points: tuple[str, ...]) -> tuple[Tensor, dict[str, Tensor]]:
    """Logits (n, K) and {point: (n, d)}: each is filled batch by batch, not copied together."""
    logits: list[Tensor] = []
    layers: dict[str, Tensor] = {}
    for first in range(0, len(x), EVALUATION_BATCH):
        answer, seen = model.observe(x[first : first + EVALUATION_BATCH], points)
        logits.append(answer)
        for point, t in seen.items():
            if point not in layers:
                layers[point] = t.new_empty(len(x), t.shape[1])
            layers[point][first : first + len(t)] = t
    return torch.cat(logits), layers


def _of_layers(
    name: str, entry: Entry, layers: dict[str, list[Measurement]]
) -> Iterator[Measurement]:
    if combine := registry.hook("measures", entry, "combine"):
        layers = layers | {"network": combine(layers)}
    for layer, told in layers.items():
        yield from (one._replace(entry=name, layer=layer) for one in told)
