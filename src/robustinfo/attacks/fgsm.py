"""Fast gradient (sign) method: one step of size epsilon.

Goodfellow et al. (2015), arXiv 1412.6572.

With ``start_std`` the step starts at x + start_std N(0, I), cut to the ball and to [0, 1], and ends
in the ball around x; ``restarts`` then go on with the images that still stand. FGSM of Jin et al.
(2020), arXiv 2011.13538, has 0.005 and five (see pgd.py). PGD with one step finds the same images
but counts as iterated, and a network that a single step breaks and many do not would pass.
"""

from typing import Self

import foolbox
import foolbox.attacks as fa
from pydantic import model_validator
from torch import Generator, Tensor, nn

from robustinfo.attacks import _active, _foolbox, pgd
from robustinfo.attacks._objectives import cross_entropy

ROLE = "single_step"
LOSS = "cross_entropy"
_METHODS = {"linf": fa.LinfFastGradientAttack, "l2": fa.L2FastGradientAttack}


class Config(pgd.Runs):
    @model_validator(mode="after")
    def restarts_have_a_random_start(self) -> Self:
        """From x itself every run is the same."""
        if self.restarts > 1 and self.start_std is None:
            raise ValueError(f"{self.restarts} `restarts` from x are one; write a `start_std`")
        return self


def _method(config: Config) -> foolbox.Attack:
    return pgd.begun(_METHODS[config.norm](), config)


def craft(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> Tensor:
    """Where one run ends for every image, fooling or not. Like x."""
    attack = _method(config)
    return _foolbox.run(attack, model, x, y, epsilon=config.epsilon, generator=generator)[1]


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """x: (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, and lies within epsilon; a failure returns its x.
    """
    ascent = pgd.Ascent(**config.model_dump(), step_size=config.epsilon, steps=1)
    return _active.search(
        _method(config),
        model,
        x,
        y,
        climbs=[cross_entropy],
        config=ascent,
        generator=generator,
    )[:2]
