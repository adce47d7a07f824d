"""Random search: uniform draws in the ball of epsilon, until one is misclassified. No gradient.

Jin et al. (2020), arXiv 2011.13538, appendix C.1: where gradient attacks had failed, 10,000 draws
(epsilon 8/255) still fooled 15 % of the images that label smoothing seemed to defend, 6 % with
entropy maximisation, and none after adversarial training. ``linf`` draws every value, ``l2`` a
point of the ball around x, uniformly; both are then cut to [0, 1].

Its role is noise: draws are independent, so a gradient attack should break whatever this breaks,
and images that noise alone breaks are a sign of masked gradients; as an iterated attack it would
cover that up. All images that are correct are searched, not only those that resisted an attack: the
verdict compares image by image.

All images share the same draws, by a copy of the generator: the result does not depend on batches,
and fewer draws are the first of more. Each image is broken as often as by draws of its own, but not
independently of the others.

Known bias: weak. In d dimensions a uniform draw in linf changes a linear margin w x by a standard
deviation of epsilon |w|_2 / sqrt(3), where the best perturbation has epsilon |w|_1, up to sqrt(3 d)
times as much; 10,000 draws reach 3.7 deviations. On a plain LeNet-5 (MNIST, epsilon 0.1)
2,000 draws broke 3 of 196 images, PGD 119. What stands has not been shown to be robust.
"""

import torch
from pydantic import PositiveInt
from torch import Generator, Tensor, nn

from robustinfo.attacks._frozen import frozen, seeded
from robustinfo.attacks._success import clearly_fooled, keep_successes
from robustinfo.core.batches import EVALUATION_BATCH
from robustinfo.core.settings import Norm, Pixels, Settings
from robustinfo.maths.balls import uniform

ROLE = "noise"
AT_ONCE = 64  # draws around one image


class Config(Settings):
    norm: Norm = "linf"
    epsilon: Pixels
    draws: PositiveInt = 10_000  # random points of the ball, for each image


@torch.no_grad()
def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Attack x, (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, and lies within epsilon; a failure returns its x.
    """
    x_adv, centres = x.clone(), x.new_zeros(AT_ONCE, *x.shape[1:])
    with frozen(model), seeded(x, generator.clone_state()):
        left = (model(x).argmax(1) == y).nonzero().squeeze(1)
        for first in range(0, config.draws, AT_ONCE):
            if not len(left):
                break
            noise = uniform(centres, config.norm, config.epsilon)[: config.draws - first]
            left = _not_fooled(model, x, y, x_adv, left, noise)
    return keep_successes(model, x, y, x_adv, norm=config.norm, epsilon=config.epsilon)


def _not_fooled(
    model: nn.Module, x: Tensor, y: Tensor, x_adv: Tensor, left: Tensor, noise: Tensor
) -> Tensor:
    """The images of ``left`` that no noise fools; of the others x_adv gets the first that does."""
    unbroken = []
    for some in left.split(EVALUATION_BATCH // AT_ONCE):
        tried = (x[some, None] + noise).clamp(0, 1)  # (images, draws, c, h, w)
        labels = y[some, None].expand(tried.shape[:2])
        fools = clearly_fooled(model(tried.flatten(0, 1)), labels.flatten()).view(tried.shape[:2])
        fooled, first = fools.max(1)
        x_adv[some[fooled]] = tried[fooled, first[fooled]]
        unbroken.append(some[~fooled])
    return torch.cat(unbroken)
