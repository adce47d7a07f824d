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


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """x: (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, and lies within epsilon; a failure returns its x.
    """
    attack = {"linf": fa.LinfFastGradientAttack, "l2": fa.L2FastGradientAttack}[config.norm]()
    _, x_adv = _foolbox.run(attack, model, x, y, epsilon=config.epsilon, generator=generator)
    return _foolbox.judged(model, x, y, x_adv, norm=config.norm, epsilon=config.epsilon)
