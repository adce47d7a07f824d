"""Projected gradient descent on the cross-entropy or the margin, from random starts.

Madry et al. (2018), arXiv 1706.06083:
maximise CE(f(x'), y) over |x' - x| <= epsilon, x' in [0, 1]: ``steps`` steps of ``step_size``
along the steepest direction of the norm (the sign, or the l2-normalised gradient), each followed
by the projection. Further ``restarts`` go on with the images that still stand. Every step counts
(see _active.py), not the last one alone, where the paper's attack ends.

A run starts uniform in the ball, or, without ``random_start``, at x. With ``start_std`` it starts
at x + start_std N(0, I) cut to the ball and to [0, 1]: Jin et al. (2020), arXiv 2011.13538, have
N(0, 0.005) and five restarts, and do not say whether 0.005 is the variance. Here it is the standard
deviation: the other, 0.07, is more than twice their epsilon of 8/255.

``objective: margin`` climbs max_{i != y} f_i(x') - f_y(x') instead, the loss of Carlini and Wagner
(2017), arXiv 1608.04644, on the logits: "CW-PGD". It does not flatten where the network is sure,
and the cross-entropy does. It is not cut at a confidence, so images go on beyond the boundary.

``until: fooled`` finds the same successes in less time: an image leaves at its first one. What it
then looks like is a barely adversarial image, not one at the end of its steps, and no material for
measures and complexities. ``precision: bfloat16``, for GPUs, steers that search; what it finds is
judged in float32, and so is every image at the end of its steps.
"""

from functools import partial
from typing import Literal, Self

import foolbox
import foolbox.attacks as fa
import torch
from pydantic import PositiveInt, model_validator
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from robustinfo.attacks import _active, _foolbox
from robustinfo.maths.balls import projected
from robustinfo.maths.margin import margin
from robustinfo.settings import Norm, Pixels, Settings

ROLE = "iterated"
COUNTS = ("last_step",)  # of successes, in other ways
_METHODS = {
    "linf": fa.LinfProjectedGradientDescentAttack,
    "l2": fa.L2ProjectedGradientDescentAttack,
}


class Runs(Settings):
    norm: Norm = "linf"
    epsilon: Pixels
    start_std: Pixels | None = None  # of Gaussian noise; None: where the attack starts without it
    restarts: PositiveInt = 1


class Ascent(Runs):  # all but what is climbed
    step_size: Pixels
    steps: PositiveInt
    random_start: bool = True  # False: from x

    @model_validator(mode="after")
    def noise_is_a_random_start(self) -> Self:
        """A start cannot be at x and be noise."""
        if self.start_std is not None and not self.random_start:
            raise ValueError("`start_std` is a random start; leave out `random_start: false`")
        return self


class Config(Ascent):
    objective: Literal["cross_entropy", "margin"] = "cross_entropy"
    until: Literal["end", "fooled"] = "end"
    precision: Literal["float32", "bfloat16"] = "float32"  # of the steps

    @model_validator(mode="after")
    def bfloat16_only_searches(self) -> Self:
        """Who goes on would be judged in float32 at every step, which costs what was saved."""
        if self.precision == "bfloat16" and self.until == "end":
            raise ValueError("`precision: bfloat16` is for a search; write `until: fooled`")
        return self


def method(config: Ascent) -> foolbox.Attack:
    """foolbox's PGD, on the cross-entropy, with the numbers of the configuration."""
    attack = _METHODS[config.norm](
        abs_stepsize=config.step_size, steps=config.steps, random_start=config.random_start
    )
    return begun(attack, config)


def begun(attack: foolbox.Attack, config: Runs) -> foolbox.Attack:
    """The attack itself, which starts from Gaussian noise if the configuration says so."""
    if config.start_std is not None:
        _foolbox.begin(attack, partial(_noisy, config=config))
    return attack


def _noisy(x: Tensor, *, config: Runs) -> Tensor:
    noise = config.start_std * torch.randn_like(x)  # from the generator, while foolbox runs
    return projected(x, x + noise, config.norm, config.epsilon)


def cross_entropy(network: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (n, K), and their cross-entropy, summed over the images."""
    logits = network(x)
    return logits, F.cross_entropy(logits, y, reduction="sum")


def _margin(network: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    logits = network(x)
    return logits, -margin(logits.float(), y).sum()


CLIMBED = {"cross_entropy": cross_entropy, "margin": _margin}


def craft(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> Tensor:
    """Where one run ends for every image, fooling or not: what adversarial training trains on.

    x: (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns the shape of x. Made in eval mode.
    """
    attack = _method(model, config)
    return _foolbox.run(attack, model, x, y, epsilon=config.epsilon, generator=generator)[1]


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """x: (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, and lies within epsilon; a failure returns its x.
    """
    found = perturb_with_extras(model, x, y, config=config, generator=generator)
    return found[:2]


def perturb_with_extras(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """``perturb``, and other counts of success, (n,) bool each.

    last_step: who falls at the last step of a run, as in the paper. Every restart then goes on with
    the others. Missing where images leave before.
    """
    leave = config.until == "fooled"
    found = _active.search(
        method(config),
        model,
        x,
        y,
        climbs=[CLIMBED[config.objective]],
        config=config,
        generator=generator,
        leave=leave,
        precision=getattr(torch, config.precision),
    )
    return (*found[:2], {}) if leave else found.with_extras()


def _method(model: nn.Module, config: Config) -> foolbox.Attack:
    attack = method(config)
    if config.objective == "margin":
        _foolbox.climb(attack, lambda x, y: -margin(model(x), y).sum())
    return attack
