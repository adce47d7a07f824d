"""Projected gradient descent on the cross-entropy, the margin or DLR, from random starts.

Madry et al. (2018), arXiv 1706.06083:
maximise CE(f(x'), y) over |x' - x| <= epsilon, x' in [0, 1]: ``steps`` steps of ``step_size``
along the steepest direction of the norm (the sign, or the l2-normalised gradient), each followed
by the projection. Further ``restarts`` go on with the images that still stand. Every step counts
(see _active.py), not the last one alone, where the paper's attack ends.

A run starts uniform in the ball, or, without ``random_start``, at x. With ``start_std`` it starts
at x + start_std N(0, I) cut to the ball and to [0, 1]: Jin et al. (2020), arXiv 2011.13538, have
N(0, 0.005) and five restarts, and do not say whether 0.005 is the variance. Here it is the standard
deviation: the other, 0.07, is more than twice their epsilon of 8/255.

``objective``: see _objectives.py. ``margin``, "CW-PGD", and ``dlr`` do not flatten where the
network is sure, and the cross-entropy does; nor does that of the logits over a ``temperature``, up
to a lead of about 100 temperatures, nor that which a float64 copy climbs, ``precision: float64``,
up to about 745. On a network that is not sure, a temperature far above the lead climbs the mean of
all wrong logits, which may leave the best one behind.

``until: fooled`` finds the same successes in less time: an image leaves at its first one. What it
then looks like is a barely adversarial image, not one at the end of its steps, and no material for
measures and complexities. ``precision: bfloat16``, for GPUs, steers that search. Whatever steers,
what it finds is judged by the network as it is, and so is every image at the end of its steps.
"""

from functools import partial
from typing import Literal, Self

import foolbox
import foolbox.attacks as fa
import torch
from pydantic import PositiveInt, model_validator
from torch import Generator, Tensor, nn

from robustinfo.attacks import _active, _foolbox
from robustinfo.attacks._objectives import CLIMBED, in_double, tempered
from robustinfo.attacks._run import Climbed
from robustinfo.core.settings import Norm, Pixels, PositiveNumber, Settings
from robustinfo.maths.balls import projected

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
    # the loss that is climbed
    objective: Literal["cross_entropy", "margin", "dlr"] = "cross_entropy"
    temperature: PositiveNumber = 1.0  # by which the logits are divided, of the cross-entropy
    # end: every image takes all steps; fooled: it stops at its first success
    until: Literal["end", "fooled"] = "end"
    precision: Literal["float32", "bfloat16", "float64"] = "float32"  # of the steps

    @model_validator(mode="after")
    def bfloat16_only_searches(self) -> Self:
        """Who goes on would be judged in float32 at every step, which costs what was saved."""
        if self.precision == "bfloat16" and self.until == "end":
            raise ValueError("`precision: bfloat16` is for a search; write `until: fooled`")
        return self

    @model_validator(mode="after")
    def only_the_cross_entropy_has_a_temperature(self) -> Self:
        """Divided, the margin climbs in the same direction, and DLR is what it was."""
        if self.temperature != 1 and self.objective != "cross_entropy":
            problem = f"`temperature` changes the cross-entropy alone, not `{self.objective}`"
            raise ValueError(f"{problem}; leave one out")
        return self

    @property
    def climbs(self) -> str:
        """The loss, by a name of its own where it has slopes that the plain one hides."""
        tempered = ["tempered"] if self.temperature != 1 else []
        precise = ["float64"] if self.precision == "float64" else []
        return " ".join([*precise, *tempered, self.objective])


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


def craft(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> Tensor:
    """Where one run ends for every image, fooling or not: what adversarial training trains on.

    x: (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns the shape of x. Made in eval mode.
    """
    attack, climbed = method(config), _climbed(model, config)
    _foolbox.climb(attack, lambda at, labels: climbed(model, at, labels)[1])
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
        climbs=[_climbed(model, config)],
        config=config,
        generator=generator,
        leave=leave,
        precision=torch.bfloat16 if config.precision == "bfloat16" else torch.float32,
    )
    return (*found[:2], {}) if leave else found.with_extras()


def _climbed(model: nn.Module, config: Config) -> Climbed:
    climbed = CLIMBED[config.objective]
    if config.temperature != 1:
        climbed = tempered(config.temperature)
    return in_double(climbed, model) if config.precision == "float64" else climbed
