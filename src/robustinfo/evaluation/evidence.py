"""Diagnostics of one network as the measurements that checks read.

A gradient of 0, or a loss that never rises, masks nothing where an attack on that loss succeeds all
the same. So a diagnostic with ``OF_RESISTING`` in its file runs on the images that resist every
attack on the cross-entropy in its norm, and its fractions are of all images. An accuracy that is
swept over epsilon gives three measurements more: its largest rise with epsilon, the accuracy at an
epsilon that reaches any image, and the gap between epsilon 0 and clean accuracy.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from torch import Generator, Tensor, nn

from robustinfo.core import registry
from robustinfo.core.batches import correct
from robustinfo.core.measurement import Measurement, exact, fraction
from robustinfo.core.settings import Entry, diameter
from robustinfo.maths.statistics import paired_difference

CURVE = "attack_accuracy"  # the diagnostic that may be swept over epsilon


def norm_of(kind: str, entry: Entry) -> str | None:
    """The norm of a resolved entry, or of its attack ``adversary``; None: it has none."""
    ((_, one), *_) = registry.sweep(entry)
    config = registry.config(kind, one)
    if getattr(config, "adversary", None):
        return norm_of("attacks", config.adversary)
    return getattr(config, "norm", None)


def is_curve(entry: Entry) -> bool:
    """Whether an entry sweeps accuracy over epsilon."""
    return entry["method"] == CURVE and "epsilon" in entry.get("sweep", {})


def run_diagnostics(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    entries: Mapping[str, Entry],
    *,
    resisting: Mapping[Any, Tensor],
    generator: Generator,
    extra: Callable[[Entry], dict[str, Any]] = lambda entry: {},
    progress: Callable[[str], object] = lambda text: None,
) -> Iterator[Measurement]:
    """Run every diagnostic at every level of its sweep.  x: (n, c, h, w) in [0, 1].  y: (n,).

    resisting: by norm, (n,) bool, the images that no attack on the cross-entropy broke. extra:
    entry -> further arguments of its ``diagnose``.
    """
    for name, entry in entries.items():
        if is_curve(entry):
            progress(name)
            yield from _curve(model, x, y, name, entry, generator)
            continue
        for level, params in registry.sweep(entry):
            progress(name if level is None else f"{name} at {level:.3g}")
            a, b, total = x, y, None
            if registry.hook("diagnostics", entry, "OF_RESISTING"):
                norm = norm_of("diagnostics", params)
                rows = resisting.get(norm)
                if rows is None:
                    continue  # without an attack in its norm nothing resists
                a, b, total = x[rows], y[rows], len(y)
            diagnose = registry.get("diagnostics", params)
            for one in diagnose(model, a, b, generator=generator, **extra(params)):
                yield _labelled(one, name, level, total)


def _labelled(one: Measurement, name: str, level: float | None, total: int | None) -> Measurement:
    one = one._replace(entry=name, level=one.level if level is None else level)
    if total is None or one.interval != "fraction":
        return one
    images = round(one.value * one.n) if one.n else 0
    return one._replace(value=images / total, n=total)


def _curve(
    model: nn.Module, x: Tensor, y: Tensor, name: str, entry: Entry, generator: Generator
) -> Iterator[Measurement]:
    """Accuracy at every epsilon, and the checks of the curve."""
    curve: dict[Any, Tensor] = {}  # by epsilon
    norm: Any = norm_of("diagnostics", entry)
    for level, params in registry.sweep(entry):
        robust = registry.module("diagnostics", params).robust
        config = registry.config("diagnostics", params)
        curve[level] = robust(model, x, y, config=config, generator=generator)
        yield fraction("attack_accuracy", curve[level])._replace(entry=name, level=level)
    about: dict[str, Any] = {"entry": name, "n": len(y)}
    worst = None
    for low, high in pairwise(sorted(curve)):
        won = int((curve[high] & ~curve[low]).sum())
        lost = int((curve[low] & ~curve[high]).sum())
        if worst is None or won - lost > worst[0] - worst[1]:
            worst = (won, lost)
    if worst is not None:
        low, high = paired_difference(*worst, len(y))
        value = max(0.0, (worst[0] - worst[1]) / len(y))
        yield Measurement("rise_with_epsilon", value, "own", low=low, high=high, **about)
    top = max(curve)
    if top >= diameter(norm, x[0].numel()) * (1 - 1e-9):  # any image may be painted
        yield fraction("accuracy_at_huge_epsilon", curve[top])._replace(entry=name)
    if 0.0 in curve:
        gap = curve[0.0].double().mean() - correct(model, x, y).double().mean()
        yield exact("zero_epsilon_gap", abs(gap.item()), len(y))._replace(entry=name)
