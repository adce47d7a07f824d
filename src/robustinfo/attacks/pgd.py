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
from robustinfo.attacks._fused_batchnorm import fold_batchnorm
from robustinfo.attacks._objectives import AttackLoss, Objective, loss_gradient
from robustinfo.attacks._restarts import losses_and_starts, run_attempts
from robustinfo.attacks._success import clearly_fooled, keep_successes
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
    def step_sizes(self) -> Sequence[float]:
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
        noisy = x + config.start_std * torch.randn_like(x)
        return projected(x, noisy, config.norm, config.epsilon)
    return uniform(x, config.norm, config.epsilon).clamp(0, 1) if config.random_start else x


def take_step(x: Tensor, at: Tensor, gradient: Tensor, size: float, config: Ascent) -> Tensor:
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
    loss: AttackLoss | None = None,
    starting_point: Callable[[Tensor, Ascent], Tensor] = start,
) -> Tensor:
    """Where one run ends for every image, fooling or not: PGD as published, to train on.

    x: (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns the shape of x. Made in eval mode.
    climbed: None: the objective of a ``Config``.  begin: where the run starts.
    """
    loss = loss or config.attack_loss(model)  # type: ignore[attr-defined]
    with frozen(model), seeded(x, generator):
        at = starting_point(x, config)
        for size in config.step_sizes:
            _, gradient = loss_gradient(model, loss, at, y)
            at = take_step(x, at, gradient, size, config)
    return at


def _run(
    folded: nn.Module,
    loss: AttackLoss,
    x: Tensor,
    y: Tensor,
    at: Tensor,
    config: Ascent,
    early_stop: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Where each image fooled last, like x; whether any step fooled, and the last: (n,) bool."""
    adversarial, rows = at.clone(), torch.arange(len(y), device=y.device)
    success, last_success = torch.zeros(2, len(y), dtype=torch.bool, device=y.device)
    for size in config.step_sizes:
        logits, gradient = loss_gradient(folded, loss, at, y)
        wrong = clearly_fooled(logits, y)
        adversarial[rows[wrong]], success[rows[wrong]] = at[wrong], True
        if early_stop and wrong.any():
            rows, x, y, at, gradient = (one[~wrong] for one in (rows, x, y, at, gradient))
        if not len(rows):
            return adversarial, success, last_success
        at = take_step(x, at, gradient, size, config)
    last_success[rows] = clearly_fooled(folded(at), y)
    adversarial[last_success] = at[last_success[rows]]
    return adversarial, success | last_success, last_success


@torch.no_grad()
def search(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    losses: Sequence[AttackLoss],
    *,
    config: Ascent,
    generator: Generator,
    early_stop: bool = False,
    starts: Sequence[Tensor] = (),
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """``perturb_with_extras`` of every attack that steps. x_adv is the last image that fooled.

    climbs: one after another, each from ``starts``, like x, and then from as many as ``restarts``.
    leave: an image leaves once it fools, and not only at a run's end.
    """
    ball: dict[str, Any] = {"norm": config.norm, "epsilon": config.epsilon}

    def attempt(loss: AttackLoss, at: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        a, b = x[rows], y[rows]
        found, success_now, last = _run(folded, loss, a, b, at[rows], config, early_stop)
        if (claimed := success_now.clone()).any():
            found[claimed], success_now[claimed] = keep_successes(
                model, a[claimed], b[claimed], found[claimed], **ball
            )
        return found, success_now, success_now if early_stop else success_now & last

    with frozen(model):
        folded, correct = fold_batchnorm(model, x), model(x).argmax(1) == y
        attempts = losses_and_starts(
            x, losses, partial(start, x, config), starts, config.restarts, generator
        )
        x_adv, success, unbroken = run_attempts(
            x, correct, (partial(attempt, *one) for one in attempts)
        )
    return x_adv, success, {} if early_stop else {"last_step": correct & ~unbroken}


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
    losses, early_stop = [config.attack_loss(model)], config.until == "fooled"
    return search(model, x, y, losses, config=config, generator=generator, early_stop=early_stop)
