"""DDN, decoupled direction and norm: the smallest l2 perturbation that it finds.

Rony et al. (2019), arXiv 1811.09600, algorithm 1. Every step goes along the gradient of the
cross-entropy, over its norm, and then to the sphere of the image's own radius, cut to [0, 1]; the
radius shrinks by a share gamma where the image is misclassified, and grows by as much where it is
not. The length of a step falls from 1 to 0.01 by half a cosine.

The loop is foolbox's, on a folded copy of the network (see _fused_batchnorm.py), and keeps what is
misclassified by more than rounding (_success.py). Known bias: where the cross-entropy is flat in
float32, because the network is sure, its direction is random.
"""

from typing import Literal

import eagerpy as ep
import foolbox
import foolbox.attacks as fa
from pydantic import PositiveInt
from torch import Generator, Tensor, nn

from robustinfo.attacks import _foolbox
from robustinfo.attacks._frozen import frozen
from robustinfo.attacks._fused_batchnorm import fold_batchnorm
from robustinfo.attacks._success import clearly_fooled, keep_successes
from robustinfo.core.settings import Fraction01, Pixels, PositiveNumber, Settings
from robustinfo.maths.balls import projected

ROLE = "iterated"


class Config(Settings):
    norm: Literal["l2"] = "l2"
    epsilon: Pixels | None = None  # None: any perturbation counts
    steps: PositiveInt = 100
    first_radius: PositiveNumber = 1.0  # of the sphere, l2
    gamma: Fraction01 = 0.05  # share by which a radius grows or shrinks


class _ClearlyFooled(foolbox.criteria.Misclassification):
    """Misclassification by more than rounding."""

    def __call__(self, perturbed: ep.Tensor, outputs: ep.Tensor) -> ep.Tensor:  # type: ignore[override]
        return ep.astensor(clearly_fooled(ep.astensor(outputs).raw, self.labels.raw))


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Attack x, (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, and lies within epsilon if there is one; a failure
    returns its x.
    """
    attack = fa.DDNAttack(steps=config.steps, init_epsilon=config.first_radius, gamma=config.gamma)
    with frozen(model):
        _, nearest = _foolbox.run(
            attack, fold_batchnorm(model, x), x, _ClearlyFooled(y), epsilon=None,
            generator=generator,
        )  # fmt: skip
    x_adv = projected(x, nearest, config.norm, config.epsilon)
    return keep_successes(model, x, y, x_adv, norm=config.norm, epsilon=config.epsilon)
