"""Projected gradient descent on the cross-entropy, from random starts.

Madry et al. (2018), arXiv 1706.06083:
maximise CE(f(x'), y) over |x' - x| <= epsilon, x' in [0, 1]: ``steps`` steps of ``step_size``
along the steepest direction of the norm (the sign, or the l2-normalised gradient), each followed
by the projection. Further ``restarts`` go on with the images that still stand.
"""

from collections.abc import Callable

import foolbox.attacks as fa
import torch
from pydantic import PositiveInt
from torch import Generator, Tensor, nn

from robustinfo.attacks import _foolbox
from robustinfo.settings import Norm, Pixels, Settings

ROLE = "iterated"
Objective = Callable[[Tensor, Tensor], Tensor]  # (x, y) -> a scalar
_METHODS = {
    "linf": fa.LinfProjectedGradientDescentAttack,
    "l2": fa.L2ProjectedGradientDescentAttack,
}


class Config(Settings):
    norm: Norm = "linf"
    epsilon: Pixels
    step_size: Pixels
    steps: PositiveInt
    random_start: bool = True
    restarts: PositiveInt = 1


def craft(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    config: Config,
    generator: Generator,
    objective: Objective | None = None,
) -> Tensor:
    """Where one run ends for every image, fooling or not: what adversarial training trains on.

    x: (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns the shape of x. Made in eval mode.
    objective: what is maximised instead of the cross-entropy, summed over the images.
    """
    attack = _METHODS[config.norm](
        abs_stepsize=config.step_size, steps=config.steps, random_start=config.random_start
    )
    if objective is not None:
        attack.get_loss_fn = _foolbox.loss_of(objective)
    return _foolbox.run(attack, model, x, y, epsilon=config.epsilon, generator=generator)[1]


def perturb(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    config: Config,
    generator: Generator,
    objective: Objective | None = None,
) -> tuple[Tensor, Tensor]:
    """x: (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, and lies within epsilon; a failure returns its x.
    """
    x_adv, success = x.clone(), torch.zeros_like(y, dtype=torch.bool)
    for _ in range(config.restarts):
        left = (~success).nonzero().squeeze(1)
        if not len(left):
            break
        settings = {"config": config, "generator": generator, "objective": objective}
        raw = craft(model, x[left], y[left], **settings)
        x_adv[left], success[left] = _foolbox.judged(
            model, x[left], y[left], raw, norm=config.norm, epsilon=config.epsilon
        )
    return x_adv, success
