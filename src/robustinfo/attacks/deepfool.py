"""DeepFool: steps to the nearest boundary of the linearised classifier.

Moosavi-Dezfooli et al. (2016), arXiv 1511.04599. From x, and until it is misclassified, an image
steps to the nearest of the boundaries
    f_k(x') - f_c(x') + <grad (f_k - f_c), r_k> = 0
of the predicted class c of x with the other ``candidates`` likeliest classes k: along the gradient
in l2, along its sign in linf. The next step begins at x plus (1 + overshoot) times the sum of all
steps, cut to [0, 1].

In l1 such a step would change one value alone, by more than [0, 1] has room for: FAB takes the box
into account.

The loop is foolbox's, where a step is 1e-4 longer than to the boundary. It runs on a folded copy of
the network (see _fused_batchnorm.py), with one forward pass and a backward pass for each class k a
step, and a misclassified image takes no further step.
"""

from typing import Annotated, Literal

import torch
from pydantic import Field, PositiveInt
from torch import Generator, Tensor, nn

from robustinfo.attacks._frozen import frozen
from robustinfo.attacks._fused_batchnorm import fold_batchnorm
from robustinfo.attacks._planes import dual_norm, hyperplanes
from robustinfo.attacks._success import keep_successes
from robustinfo.core.settings import Number, Pixels, Settings
from robustinfo.maths.balls import projected

ROLE = "iterated"
BEYOND = 1e-4  # added to the distance of every step
STABLE = 1e-8  # added to the norm of a gradient, to divide by


class Config(Settings):
    norm: Literal["linf", "l2"] = "l2"
    epsilon: Pixels | None = None  # None: any perturbation counts
    steps: PositiveInt = 50
    candidates: Annotated[int, Field(ge=2)] = 10  # the most likely classes that are tried
    overshoot: Number = 0.02  # share of the step that is added


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Attack x, (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, and lies within epsilon if there is one; a failure
    returns its x.
    """
    with frozen(model):
        x_adv = _stepped(fold_batchnorm(model, x), x.detach(), y, config)
    x_adv = projected(x, x_adv, config.norm, config.epsilon)
    return keep_successes(model, x, y, x_adv, norm=config.norm, epsilon=config.epsilon)


@torch.no_grad()
def _stepped(network: nn.Module, x: Tensor, y: Tensor, config: Config) -> Tensor:
    """The images after their last steps, like x."""
    at, total, left = x.clone(), torch.zeros_like(x), torch.arange(len(y), device=y.device)
    classes = network(x).argsort(1).flip(1)[:, : config.candidates]
    for _ in range(config.steps):
        left = left[network(at[left]).argmax(1) == y[left]]
        if not len(left):
            break
        differences, gradients = hyperplanes(network, at[left], classes[left])
        total[left] += _step(differences, gradients, config.norm).view_as(x[left])
        at[left] = (x[left] + (1 + config.overshoot) * total[left]).clamp(0, 1)
    return at


def _step(differences: Tensor, gradients: Tensor, norm: str) -> Tensor:
    """To the nearest boundary of each image: (n, k) and (n, k, d) -> (n, d)."""
    size = dual_norm(gradients, norm) + STABLE
    far = differences.abs() / size
    nearest = torch.arange(len(far), device=far.device), far.argmin(1)
    gradient = gradients[nearest]
    direction = gradient.sign() if norm == "linf" else gradient / size[nearest][:, None]
    return (far[nearest] + BEYOND)[:, None] * direction
