"""What every measure promises, and what learning and toys do that say rows, too."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from robustinfo.core.measurement import Measurement
from tests.promises import Held, alone, seeded, told


def held(one: Held, t: Tensor, y: Tensor, x: Tensor) -> None:
    """t: (n, d) activations.  y: (n,) labels.  x: (n, ...) inputs; n: one batch of the measure."""
    points = one.module.POINTS in ("probes", "activations", "logits")
    one.keeps(points, "POINTS is probes, activations or logits")

    def estimated(t: Tensor, y: Tensor, x: Tensor) -> list[Measurement]:
        given = {"x": x} if one.hook("SEES_INPUTS") else {}
        return one.module.estimate(t, y, config=one.config, **given)

    with alone(one, t, y, x):
        found = estimated(t, y, x)
    told(one, found)
    for row in found:
        ceiling = row.ceiling is not None
        one.keeps(row.quantity.count("bits") == int(ceiling), "bits, and only they, have a ceiling")
        one.keeps(isinstance(row.saturated, bool) == ceiling, "a ceiling says if it is reached")
    turned = estimated(t.flip(0), y.flip(0), x.flip(0))
    one.keeps(_alike(found, turned), "the order of the samples changes nothing")
    _few(one, lambda: estimated(t[:1], y[:1], x[:1]))
    if one.hook("add"):
        _in_parts(one, t, found)
    if combine := one.hook("combine"):
        told(one, combine({"first": found, "second": found}))


def _alike(one: list[Measurement], other: list[Measurement]) -> bool:
    values = torch.tensor([[a.value, b.value] for a, b in zip(one, other, strict=True)])
    return torch.allclose(*values.T, rtol=1e-4, atol=1e-5, equal_nan=True)


def _few(one: Held, estimated: Callable[[], list[Measurement]]) -> None:
    try:
        found = estimated()
    except ValueError as error:
        one.keeps(str(error), "who refuses a single sample says why")
    else:
        told(one, found)


def _in_parts(one: Held, t: Tensor, found: list[Measurement]) -> None:
    state = None
    for part in t.tensor_split(3):
        state = one.module.add(state, part, config=one.config)
    said = one.module.measurements(state, config=one.config)
    one.keeps(_alike(found, said), "in parts it says what it says at once")


def rows(one: Held, asked: Callable[..., Iterable[Measurement]], *given: Tensor) -> None:
    """asked: (generator) -> rows, which learning/ and toys/ say of what is given."""
    with alone(one, *given):
        found = [*asked(generator=seeded())]
    told(one, found)
    torch.manual_seed(99)
    again = [*asked(generator=seeded())]
    one.keeps(_alike(found, again), "the generator alone decides")
