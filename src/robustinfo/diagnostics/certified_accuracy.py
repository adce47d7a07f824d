"""The fraction of images that a bound proves robust: no attack in the ball can turn them.

Interval bounds (Gowal et al. 2018, arXiv 1810.12715) and backward linear relaxation, CROWN (Zhang
et al. 2018, arXiv 1811.00866), of feed-forward networks: maths/bounds. An image is certified if it
is classified correctly and the least lead of its label over every other class is above 0 in the
ball, within [0, 1].

The bounds are of the network in exact arithmetic, computed in float64 and lowered by 1e-6 of the
largest logit; the ball is as large as an attack's may be (maths/balls.py: feasible). Float32 rounds
by more than that where a network adds large and small numbers on purpose (Zombori et al. 2021): an
image that is certified and yet turned shows it, or a mistake of an attack or of this file.

Known bias: a lower bound. Of a network that was not trained for it, it may well be 0 at the epsilon
of attacks, however robust the network is. Relaxation passes ReLU alone; behind max-pooling, sigmoid
and tanh there are intervals.
"""

from typing import Any

import torch
from pydantic import NonNegativeInt
from torch import Generator, Tensor, nn

from robustinfo.attacks._frozen import frozen
from robustinfo.core.batches import correct
from robustinfo.core.measurement import Measurement, exact, fraction
from robustinfo.core.settings import ANY, Norm, Outline, Pixels, Settings
from robustinfo.maths import norms
from robustinfo.maths.bounds import Ball, NoBoundError, least_margins, recorded

QUANTITIES = ("certified_accuracy", "certified_by_intervals", "certified_by_relaxation")
UNBOUNDED = "unbounded_layers"
AT_ONCE = 32  # images


class Config(Settings):
    norm: Norm = "linf"
    epsilon: Pixels
    hidden: NonNegativeInt = 250  # neurons of hidden layers that are bounded backward, too; layers
    # that do not fit in have their intervals. Two rows for each, which cost two gradients each.
    examples: str | None = None  # an attack of the study, which may turn no certified image


def outline(config: Config) -> Outline:
    """The names of its rows.

    certified_accuracy  by intervals or by relaxation
    certified_by_intervals  by intervals alone, which are cheap and loose
    certified_by_relaxation  by linear relaxation alone
    certified_broken_fraction  certified, and turned by ``examples`` all the same: 0, unless
        something is wrong
    unbounded_layers  1, in place of all others, where the network cannot be bounded; the layer says
        which operation, and where
    """
    broken = ("certified_broken_fraction",) if config.examples is not None else ()
    return [{"quantity": QUANTITIES + broken}, {"quantity": (UNBOUNDED,), "layer": ANY}]


def diagnose(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    config: Config,
    generator: Generator,
    examples: dict[str, Tensor] | None = None,
) -> list[Measurement]:
    """Fractions of the n images.  x: (n, c, h, w) in [0, 1].  y: (n,) labels.

    examples: ``success``, (n,) bool, of an attack in the ball.
    """
    try:
        masks = certified(model, x, y, config=config)
    except NoBoundError as reason:
        at = f"{reason.what} at {reason.layer}" if reason.layer else reason.what
        return [exact(UNBOUNDED, 1)._replace(layer=at)]
    either = torch.stack([*masks]).any(0)
    values = [fraction(n, m) for n, m in zip(QUANTITIES, (either, *masks), strict=True)]
    if examples is not None:
        broken = either & examples["success"].to(either.device)
        values.append(fraction("certified_broken_fraction", broken))
    return values


def certified(model: nn.Module, x: Tensor, y: Tensor, *, config: Config) -> tuple[Tensor, Tensor]:
    """Whether each image is certified by intervals, and by relaxation, (n,) bool each.

    Raises NoBoundError where the network cannot be bounded.
    """
    epsilon = config.epsilon + norms.of(config.norm).tolerance(config.epsilon, x[0].numel())
    with frozen(model):
        steps, right = recorded(model, x), correct(model, x, y)
    found: list[Any] = [
        least_margins(steps, b, Ball(a.double(), config.norm, epsilon), hidden=config.hidden)
        for a, b in zip(x.split(AT_ONCE), y.split(AT_ONCE), strict=True)
    ]
    return tuple(right & (torch.cat(part) > 0) for part in zip(*found, strict=True))  # type: ignore[return-value]
