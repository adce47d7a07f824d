"""Fast gradient (sign) method: one step of size epsilon.

Goodfellow et al. (2015), arXiv 1412.6572.
"""

import foolbox.attacks as fa
from torch import Generator, Tensor, nn

from robustinfo.attacks import _foolbox
from robustinfo.settings import Norm, Pixels, Settings

ROLE = "single_step"


class Config(Settings):
    norm: Norm = "linf"
    epsilon: Pixels


def craft(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> Tensor:
    """Where the attack ends for every image, fooling or not. Like x."""
    attack = {"linf": fa.LinfFastGradientAttack, "l2": fa.L2FastGradientAttack}[config.norm]()
    return _foolbox.run(attack, model, x, y, epsilon=config.epsilon, generator=generator)[1]


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """x: (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, and lies within epsilon; a failure returns its x.
    """
    x_adv = craft(model, x, y, config=config, generator=generator)
    return _foolbox.judged(model, x, y, x_adv, norm=config.norm, epsilon=config.epsilon)
