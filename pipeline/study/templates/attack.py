"""TEMPLATE: one step up the gradient.

Write here what yours does: who published it, where (arXiv id, equation), its known bias, and what
it maximises where:
    maximise  CE(f(x'), y)  over |x' - x| <= epsilon, x' in [0, 1].
"""

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from robustinfo.attacks._frozen import frozen
from robustinfo.attacks._success import keep_successes
from robustinfo.core.settings import Norm, Pixels, Settings
from robustinfo.maths.balls import ascended

ROLE = "single_step"  # or iterated, adaptive, black_box, ensemble, noise


class Config(Settings):
    norm: Norm = "linf"
    epsilon: Pixels = 8 / 255


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Attack x, (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, and lies within epsilon; a failure returns its x.
    """
    with frozen(model):
        at = x.clone().requires_grad_()
        loss = F.cross_entropy(model(at), y, reduction="sum")
        (slope,) = torch.autograd.grad(loss, at)
    norm, epsilon = config.norm, config.epsilon
    x_adv = ascended(x, x, slope, size=epsilon, norm=norm, epsilon=epsilon)
    return keep_successes(model, x, y, x_adv, norm=norm, epsilon=epsilon)
