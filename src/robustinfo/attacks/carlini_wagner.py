"""The l2 attack of Carlini and Wagner (2017), arXiv 1608.04644: the smallest perturbation it finds.

minimise |x' - x|_2^2 + c max(f_y(x') - max_{i != y} f_i(x') + confidence, 0) in tanh space by
Adam, with a binary search for c per image. foolbox's defaults are 9 searches of 10,000 steps.
"""

from typing import Literal

import foolbox.attacks as fa
from pydantic import PositiveInt
from torch import Generator, Tensor, nn

from robustinfo.attacks import _foolbox
from robustinfo.attacks._success import keep_successes
from robustinfo.core.settings import Number, Pixels, PositiveNumber, Settings

ROLE = "iterated"
COUNTS = ("with_black",)  # of successes, in other ways


class Config(Settings):
    norm: Literal["l2"] = "l2"
    epsilon: Pixels | None = None  # None: any perturbation counts
    binary_search_steps: PositiveInt = 9  # searches for the constant
    steps: PositiveInt = 10_000
    step_size: PositiveNumber = 0.01  # Adam's learning rate in tanh space
    confidence: Number = 0.0  # margin in logits that is asked for
    initial_const: PositiveNumber = 1e-3  # weight of the margin beside the distance, first


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Attack x, (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success was found by the attack, is misclassified, was correct, and lies within epsilon if
    there is one. A failure returns its x, never foolbox's black image.
    """
    return perturb_with_extras(model, x, y, config=config, generator=generator)[:2]


def perturb_with_extras(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """``perturb``, and ``with_black``, (n,) bool: success as foolbox would count it.

    Where the attack fails, foolbox returns a black image; the bracketed figures of arXiv
    2008.03072 (tables III, IV) count it if the model does not assign black to the label.
    """
    attack = fa.L2CarliniWagnerAttack(
        binary_search_steps=config.binary_search_steps,
        steps=config.steps,
        stepsize=config.step_size,
        confidence=config.confidence,
        initial_const=config.initial_const,
    )
    raw, cut = _foolbox.run(attack, model, x, y, epsilon=config.epsilon, generator=generator)
    found = raw.flatten(1).any(1)
    black = ~found & keep_successes(model, x, y, raw, norm=config.norm, epsilon=None)[1]
    x_adv, success = keep_successes(
        model, x, y, cut, norm=config.norm, epsilon=config.epsilon, claimed=found
    )
    return x_adv, success, {"with_black": success | black}
