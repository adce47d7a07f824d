"""Random noise of a given size: no attack, but the baseline that every attack must beat.

foolbox's additive noise, as arXiv 2008.03072 (tables V, VI) uses it: ``linf`` uniform, ``l2``
Gaussian or uniform, scaled to epsilon and cut to [0, 1]; ``l1`` uniform is scaled alike. ``linf``
of random signs moves every value by epsilon, as the fast gradient sign method does, without its
direction.
"""

from typing import Literal, Self

import eagerpy as ep
import foolbox.attacks as fa
from foolbox.distances import l1
from pydantic import model_validator
from torch import Generator, Tensor, nn

from robustinfo.attacks import _foolbox
from robustinfo.attacks._success import keep_successes
from robustinfo.core.settings import Norm, Pixels, Settings

ROLE = "noise"


class _Signs(fa.LinfAdditiveUniformNoiseAttack):
    def sample_noise(self, x: ep.Tensor) -> ep.Tensor:
        return super().sample_noise(x).sign()


class _InL1(fa.L2AdditiveUniformNoiseAttack):
    distance = l1

    def get_epsilons(
        self, x: ep.Tensor, p: ep.Tensor, epsilon: float, min_: float, max_: float
    ) -> ep.Tensor:
        return epsilon / p.abs().sum(tuple(range(1, p.ndim)), keepdims=True)


_METHODS = {
    ("linf", "signs"): _Signs,
    ("linf", "uniform"): fa.LinfAdditiveUniformNoiseAttack,
    ("l2", "uniform"): fa.L2AdditiveUniformNoiseAttack,
    ("l1", "uniform"): _InL1,
    ("l2", "gaussian"): fa.L2AdditiveGaussianNoiseAttack,
}


class Config(Settings):
    norm: Norm
    # of the noise within the ball
    distribution: Literal["uniform", "gaussian", "signs"] = "uniform"
    epsilon: Pixels

    @model_validator(mode="after")
    def exists(self) -> Self:
        """Gaussian noise has no bound in l-infinity, and signs are a size in that norm."""
        if (self.norm, self.distribution) not in _METHODS:
            raise ValueError(
                f"no {self.norm} noise is `{self.distribution}`: linf has `uniform` and `signs`, "
                "l2 `uniform` and `gaussian`, which is bounded in l2 only, l1 `uniform`"
            )
        return self


def craft(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> Tensor:
    """Every image with noise, misclassified or not. Like x."""
    attack = _METHODS[config.norm, config.distribution]()  # type: ignore[abstract]
    return _foolbox.run(attack, model, x, y, epsilon=config.epsilon, generator=generator)[1]


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Attack x, (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, and lies within epsilon; a failure returns its x.
    """
    x_adv = craft(model, x, y, config=config, generator=generator)
    return keep_successes(model, x, y, x_adv, norm=config.norm, epsilon=config.epsilon)
