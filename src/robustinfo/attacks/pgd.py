"""Projected gradient descent from random starts, on the cross-entropy, the margin or DLR.

Madry et al. (2018), arXiv 1706.06083: maximise L(f(x'), y) over |x' - x| <= epsilon, x' in [0, 1]:
``steps`` steps of ``step_size`` along the sign, or the l2-normalised gradient, each projected; in
l1 as in maths/norms/l1.py. L is the ``objective``; in the paper, the cross-entropy.

``craft`` is the paper's attack: the end of one run. ``perturb`` counts a success at any step, the
start included, as AutoAttack does, since the attacker could have sent that image. Further
``restarts`` go on with the images not broken so far. Gradients are those of a folded copy of the
network (_fused_batchnorm.py); the network itself decides on success. ``until: fooled`` breaks the
same images in less time: each stops at its first success, barely adversarial, not fit for measures.

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
from robustinfo.attacks._fused_batchnorm import fold_batchnorm
from robustinfo.attacks._objectives import Loss, Objective, loss_gradient
from robustinfo.attacks._restarts import losses_and_starts, run_attempts
from robustinfo.attacks._success import clearly_fooled, keep_successes
from robustinfo.core.settings import Norm, Pixels, Settings
from robustinfo.maths.balls import ascended, projected, uniform

ROLE = "iterated"
COUNTS = ("last_step",)  # of successes, in other ways


class Ascent(Settings):  # all but the loss
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
    def step_sizes(self) -> Sequence[float]:
        """The size of each step."""
        return [self.step_size] * self.steps


class Config(Objective, Ascent):
    # end: every image takes all steps; fooled: it stops at its first success
    until: Literal["end", "fooled"] = "end"

    @model_validator(mode="after")
    def bfloat16_only_searches(self) -> Self:
        """An image that goes on after a success is checked in float32 at every step."""
        if self.precision == "bfloat16" and self.until == "end":
            raise ValueError("`precision: bfloat16` is for a search; write `until: fooled`")
        return self


def start(x: Tensor, config: Ascent) -> Tensor:
    """The starting point of a run, like x, drawn from torch's global random numbers."""
    if config.start_std is not None:
        noisy = x + config.start_std * torch.randn_like(x)
        return projected(x, noisy, config.norm, config.epsilon)
    return uniform(x, config.norm, config.epsilon).clamp(0, 1) if config.random_start else x


def take_step(x: Tensor, at: Tensor, gradient: Tensor, size: float, config: Ascent) -> Tensor:
    """One step of this size up the gradient, in the ball and [0, 1]."""
    return ascended(x, at, gradient, size=size, norm=config.norm, epsilon=config.epsilon)


@torch.no_grad()
def craft(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    config: Ascent,
    generator: Generator,
    loss: Loss | None = None,
    starting_point: Callable[[Tensor, Ascent], Tensor] = start,
) -> Tensor:
    """The last iterate of one run for every image, successful or not: PGD as published.

    x: (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns the shape of x. Made in eval mode.
    loss: None: the objective of a ``Config``.  starting_point: (x, config) -> like x.
    """
    loss = loss or config.attack_loss(model)  # type: ignore[attr-defined]
    with frozen(model), seeded(x, generator):
        at = starting_point(x, config)
        for size in config.step_sizes:
            _, gradient = loss_gradient(model, loss, at, y)
            at = take_step(x, at, gradient, size, config)
    return at


def _run(
    folded: nn.Module, loss: Loss, x: Tensor, y: Tensor, at: Tensor, config: Ascent, stop: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """x_adv, each image's last that fools; success at any step, and at the last: (n,) bool."""
    x_adv, rows = at.clone(), torch.arange(len(y), device=y.device)
    success, last = torch.zeros(2, len(y), dtype=torch.bool, device=y.device)
    for size in config.step_sizes:
        logits, gradient = loss_gradient(folded, loss, at, y)
        wrong = clearly_fooled(logits, y)
        x_adv[rows[wrong]], success[rows[wrong]] = at[wrong], True
        if stop and wrong.any():
            rows, x, y, at, gradient = (one[~wrong] for one in (rows, x, y, at, gradient))
        if not len(rows):
            return x_adv, success, last
        at = take_step(x, at, gradient, size, config)
    last[rows] = clearly_fooled(folded(at), y)
    x_adv[last] = at[last[rows]]
    return x_adv, success | last, last


@torch.no_grad()
def search(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    losses: Sequence[Loss],
    *,
    config: Ascent,
    generator: Generator,
    early_stop: bool = False,
    starts: Sequence[Tensor] = (),
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """``perturb_with_extras`` of every attack that steps. x_adv is the last that fools.

    losses: one after another, each from ``starts``, like x, and then from ``restarts`` random ones.
    early_stop: an image stops at its first success, and not only at a run's end.
    """
    ball: dict[str, Any] = {"norm": config.norm, "epsilon": config.epsilon}

    def attempt(loss: Loss, at: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        a, b = x[rows], y[rows]
        found, wins, last = _run(folded, loss, a, b, at[rows], config, early_stop)
        if (some := wins.clone()).any():
            found[some], wins[some] = keep_successes(model, a[some], b[some], found[some], **ball)
        return found, wins, wins if early_stop else wins & last

    with frozen(model):
        folded, correct = fold_batchnorm(model, x), model(x).argmax(1) == y
        draw = partial(start, x, config)
        pairs = losses_and_starts(x, losses, draw, starts, config.restarts, generator)
        attempts = (partial(attempt, *pair) for pair in pairs)
        x_adv, success, unbroken = run_attempts(x, correct, attempts)
    return x_adv, success, {} if early_stop else {"last_step": correct & ~unbroken}


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Attack x, (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, and lies within epsilon; a failure returns its x.
    """
    return perturb_with_extras(model, x, y, config=config, generator=generator)[:2]


def perturb_with_extras(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """``perturb``, and ``last_step``, (n,) bool: broken at a run's end; not with early stopping."""
    losses, early_stop = [config.attack_loss(model)], config.until == "fooled"
    return search(model, x, y, losses, config=config, generator=generator, early_stop=early_stop)
