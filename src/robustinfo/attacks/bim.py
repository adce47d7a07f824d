"""Basic iterative method: small steps without a random start.

Kurakin et al. (2017), arXiv 1607.02533. Every step counts (see _active.py), where the paper's
attack is the last one: that is ``last_step``.
"""

import foolbox
import foolbox.attacks as fa
from pydantic import PositiveInt
from torch import Generator, Tensor, nn

from robustinfo.attacks import _active, _foolbox, pgd
from robustinfo.attacks._objectives import cross_entropy
from robustinfo.core.settings import Norm, Pixels, Settings

ROLE = "iterated"
LOSS = "cross_entropy"
COUNTS = ("last_step",)  # of successes, in other ways


class Config(Settings):
    norm: Norm = "linf"
    epsilon: Pixels
    step_size: Pixels
    steps: PositiveInt = 10


def method(config: Config) -> foolbox.Attack:
    """foolbox's BIM with the numbers of the configuration."""
    method = {"linf": fa.LinfBasicIterativeAttack, "l2": fa.L2BasicIterativeAttack}[config.norm]
    return method(abs_stepsize=config.step_size, steps=config.steps)


def craft(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> Tensor:
    """Where the attack ends for every image, fooling or not. Like x."""
    return _foolbox.run(method(config), model, x, y, epsilon=config.epsilon, generator=generator)[1]


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
    """``perturb``, and ``last_step``, (n,) bool: who falls at the last step, as in the paper."""
    return _active.search(
        method(config),
        model,
        x,
        y,
        climbs=[cross_entropy],
        config=pgd.Ascent(**config.model_dump(), random_start=False),
        generator=generator,
    ).with_extras()
