"""Projected gradient descent from random starts, on the cross-entropy, the margin or DLR.

Madry et al. (2018), arXiv 1706.06083: maximise L(f(x'), y) over |x' - x| <= epsilon, x' in [0, 1]:
``steps`` steps of ``step_size`` along the steepest direction of the norm (the sign, or the
l2-normalised gradient), each followed by the projection. L is the cross-entropy in the paper, and
here the ``objective`` (_objectives.py).

``craft`` is the paper's attack: where one run ends. ``perturb`` looks for a success: an image falls
at any step, the start included, as in AutoAttack, since the attacker could have sent it. Further
``restarts`` go on with the images that stand. It climbs a folded copy of the network
(_fused_batchnorm.py); the network as it is judges. ``until: fooled`` finds the same in less time:
an image leaves at its first success, barely adversarial, no material for other stages.

A run starts uniform in the ball, or, without ``random_start``, at x; with ``start_std`` at
x + start_std N(0, I) cut to the ball and to [0, 1]. Of N(0, 0.005) Jin et al. (2020), arXiv
2011.13538, do not say whether it is the variance; its root, 0.07, is over twice their epsilon.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, Self

import torch
from pydantic import PositiveInt, model_validator
from torch import Generator, Tensor, nn

from robustinfo.attacks._frozen import frozen, seeded
from robustinfo.attacks._fused_batchnorm import folded
from robustinfo.attacks._objectives import Climbed, Objective, slope
from robustinfo.attacks._restarts import restarted, runs
from robustinfo.attacks._success import judged, surely
from robustinfo.core.settings import Norm, Pixels, Settings
from robustinfo.maths.balls import projected, steepest, uniform

ROLE = "iterated"
COUNTS = ("last_step",)  # of successes, in other ways


class Ascent(Settings):  # all but what is climbed
    norm: Norm = "linf"
    epsilon: Pixels
    step_size: Pixels
    steps: PositiveInt
    random_start: bool = True  # False: from x
    start_std: Pixels | None = None  # of Gaussian noise; None: where the attack starts without it
    restarts: PositiveInt = 1

    @model_validator(mode="after")
    def noise_is_a_random_start(self) -> Self:
        """A start cannot be at x and be noise."""
        if self.start_std is not None and not self.random_start:
            raise ValueError("`start_std` is a random start; leave out `random_start: false`")
        return self

    @property
    def sizes(self) -> Sequence[float]:
        """Of all steps."""
        return [self.step_size] * self.steps


class Config(Objective, Ascent):
    # end: every image takes all steps; fooled: it stops at its first success
    until: Literal["end", "fooled"] = "end"

    @model_validator(mode="after")
    def bfloat16_only_searches(self) -> Self:
        """Who goes on would be judged in float32 at every step, which costs what was saved."""
        if self.precision == "bfloat16" and self.until == "end":
            raise ValueError("`precision: bfloat16` is for a search; write `until: fooled`")
        return self


def start(x: Tensor, config: Ascent) -> Tensor:
    """Where a run begins, like x, drawn from torch's global random numbers."""
    if config.start_std is not None:
        drawn = x + config.start_std * torch.randn_like(x)
        return projected(x, drawn, config.norm, config.epsilon)
    return uniform(x, config.norm, config.epsilon).clamp(0, 1) if config.random_start else x


def stepped(x: Tensor, at: Tensor, gradient: Tensor, size: float, config: Ascent) -> Tensor:
    """One step of this size up the gradient, and back into the ball around x and into [0, 1]."""
    at = at + size * steepest(gradient, config.norm)
    return projected(x, at, config.norm, config.epsilon)


@torch.no_grad()
def craft(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    config: Ascent,
    generator: Generator,
    climbed: Climbed | None = None,
    begin: Callable[[Tensor, Ascent], Tensor] = start,
) -> Tensor:
    """Where one run ends for every image, fooling or not: PGD as published, to train on.

    x: (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns the shape of x. Made in eval mode.
    climbed: None: the objective of a ``Config``.  begin: where the run starts.
    """
    climbed = climbed or config.climbed(model)  # type: ignore[attr-defined]
    with frozen(model), seeded(x, generator):
        at = begin(x, config)
        for size in config.sizes:
            _, gradient = slope(model, climbed, at, y)
            at = stepped(x, at, gradient, size, config)
    return at


def _run(
    twin: nn.Module, climbed: Climbed, x: Tensor, y: Tensor, at: Tensor, config: Ascent, leave: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Where each image fooled last, like x; whether any step fooled, and the last: (n,) bool."""
    found, rows = at.clone(), torch.arange(len(y), device=y.device)
    fools, last = torch.zeros(2, len(y), dtype=torch.bool, device=y.device)
    for size in config.sizes:
        logits, gradient = slope(twin, climbed, at, y)
        wrong = surely(logits, y)
        found[rows[wrong]], fools[rows[wrong]] = at[wrong], True
        if leave and wrong.any():
            rows, x, y, at, gradient = (one[~wrong] for one in (rows, x, y, at, gradient))
        if not len(rows):
            return found, fools, last
        at = stepped(x, at, gradient, size, config)
    last[rows] = surely(twin(at), y)
    found[last] = at[last[rows]]
    return found, fools | last, last


@torch.no_grad()
def search(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    climbs: Sequence[Climbed],
    *,
    config: Ascent,
    generator: Generator,
    leave: bool = False,
    starts: Sequence[Tensor] = (),
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """``perturb_with_extras`` of every attack that steps. x_adv is the last image that fooled.

    climbs: one after another, each from ``starts``, like x, and then from as many as ``restarts``.
    leave: an image leaves once it fools, and not only at a run's end.
    """
    ball: dict[str, Any] = {"norm": config.norm, "epsilon": config.epsilon}

    def attempt(climbed: Climbed, at: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        a, b = x[rows], y[rows]
        found, fools, last = _run(twin, climbed, a, b, at[rows], config, leave)
        if (some := fools.clone()).any():
            found[some], fools[some] = judged(model, a[some], b[some], found[some], **ball)
        return found, fools, fools if leave else fools & last

    with frozen(model):
        twin, correct = folded(model, x), model(x).argmax(1) == y
        tries = runs(x, climbs, partial(start, x, config), starts, config.restarts, generator)
        x_adv, success, stands = restarted(x, correct, (partial(attempt, *one) for one in tries))
    return x_adv, success, {} if leave else {"last_step": correct & ~stands}


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """x: (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, and lies within epsilon; a failure returns its x.
    """
    return perturb_with_extras(model, x, y, config=config, generator=generator)[:2]


def perturb_with_extras(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """``perturb``, and ``last_step``, (n,) bool: who falls at a run's end; not of who leaves."""
    climbs, leave = [config.climbed(model)], config.until == "fooled"
    return search(model, x, y, climbs, config=config, generator=generator, leave=leave)
