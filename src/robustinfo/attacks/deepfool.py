"""DeepFool: steps to the nearest boundary of the linearised classifier.

Moosavi-Dezfooli et al. (2016), arXiv 1511.04599.
"""

import foolbox.attacks as fa
from pydantic import PositiveInt
from torch import Generator, Tensor, nn

from robustinfo.attacks import _foolbox
from robustinfo.attacks._success import keep_successes
from robustinfo.core.settings import Norm, Number, Pixels, Settings

ROLE = "iterated"


class Config(Settings):
    norm: Norm = "l2"
    epsilon: Pixels | None = None  # None: any perturbation counts
    steps: PositiveInt = 50
    candidates: PositiveInt = 10  # the most likely classes that are tried
    overshoot: Number = 0.02  # share of the step that is added


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Attack x, (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, and lies within epsilon if there is one; a failure
    returns its x.
    """
    method = {"l2": fa.L2DeepFoolAttack, "linf": fa.LinfDeepFoolAttack}[config.norm]
    attack = method(steps=config.steps, candidates=config.candidates, overshoot=config.overshoot)
    _, x_adv = _foolbox.run(attack, model, x, y, epsilon=config.epsilon, generator=generator)
    return keep_successes(model, x, y, x_adv, norm=config.norm, epsilon=config.epsilon)
