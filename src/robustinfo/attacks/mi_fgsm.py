"""MI-FGSM and NI-FGSM: small steps along the gradients' momentum.

MI-FGSM, Dong et al. (2018), arXiv 1710.06081: from x_0 = x and g_0 = 0,
    g <- momentum g + grad / |grad|,   x_t+1 = x_t + step_size sign(g)        linf
                                       x_t+1 = x_t + step_size g / |g|_2      l2
with grad the gradient of the cross-entropy at x_t, each step followed by the projection; in l1 a
step is that of maths/norms/l1.py along g. Every step counts, where the papers' attack is the last
one: that is ``last_step``. The paper has step_size = epsilon / steps. ``nesterov``, NI-FGSM, Lin et
al. (2020), arXiv 1908.06281, takes the gradient ahead, at x_t + step_size momentum g, not
projected.

|grad| is the mean over the image's values, as the code of NI-FGSM has it, not the l1 norm that the
papers print: the same steps without ``nesterov``, and with it a look ahead that is d times as far,
without which it would not differ. foolbox's MI-FGSM accumulates the steps that it would have taken
without momentum: in linf signs, so that how steep the loss is in one pixel beside another never
counts, in l2 gradients over their l2 norm.
"""

from collections.abc import Iterator

import torch
from pydantic import PositiveInt
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from robustinfo.attacks._frozen import frozen
from robustinfo.attacks._objectives import cross_entropy, loss_gradient
from robustinfo.attacks._success import fooled, keep_successes
from robustinfo.core.settings import Norm, Number, Pixels, Settings
from robustinfo.maths.balls import ascended

ROLE = "iterated"
LOSS = "cross_entropy"
COUNTS = ("last_step",)  # of successes, in other ways


class Config(Settings):
    norm: Norm = "linf"
    epsilon: Pixels
    step_size: Pixels
    steps: PositiveInt = 10
    momentum: Number = 1.0  # share of the last gradients that is kept
    nesterov: bool = False  # whether the gradient is taken a step ahead (NI-FGSM)


def craft(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> Tensor:
    """The last iterate of every image, successful or not. Like x."""
    with frozen(model):
        *_, end = _path(model, x, y, config)
    return end


def _path(model: nn.Module, x: Tensor, y: Tensor, config: Config) -> Iterator[Tensor]:
    """The iterate after every step, like x; the model is frozen."""
    x_adv, momentum = x, torch.zeros_like(x)
    for _ in range(config.steps):
        lookahead = config.step_size * config.momentum * momentum if config.nesterov else 0
        _, gradient = loss_gradient(model, cross_entropy, x_adv + lookahead, y)
        gradient = _normalised(gradient)
        momentum = config.momentum * momentum + gradient * x.shape[1:].numel()
        x_adv = ascended(
            x, x_adv, momentum, size=config.step_size, norm=config.norm, epsilon=config.epsilon
        )
        yield x_adv


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Attack x, (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, and lies within epsilon; a failure returns its x.
    """
    return perturb_with_extras(model, x, y, config=config, generator=generator)[:2]


def perturb_with_extras(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """``perturb``, and ``last_step``, (n,) bool: broken at the last step, as in the papers."""
    x_adv = x.clone()
    with frozen(model):
        for at in _path(model, x, y, config):
            fools = fooled(model, at, y)
            x_adv[fools] = at[fools]
    x_adv, success = keep_successes(model, x, y, x_adv, norm=config.norm, epsilon=config.epsilon)
    return x_adv, success, {"last_step": success & fools}


def _normalised(t: Tensor) -> Tensor:
    """Each image by its l1 norm; 0 stays 0, and where gradients vanish their direction counts."""
    smallest = torch.finfo(t.dtype).tiny
    return F.normalize(t.flatten(1), p=1, eps=smallest).view_as(t)
