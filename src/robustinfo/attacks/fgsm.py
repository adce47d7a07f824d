"""Fast gradient (sign) method: one step of size epsilon.

Goodfellow et al. (2015), arXiv 1412.6572.

With ``start_std`` the step starts at x + start_std N(0, I), cut to the ball and to [0, 1], and ends
in the ball around x; ``restarts`` then go on with the images not broken so far. FGSM of Jin et al.
(2020), arXiv 2011.13538, has 0.005 and five (see pgd.py). PGD with one step breaks the same images
but counts as iterated, and a network that a single step breaks and many do not would pass.
"""

from typing import Any, Self

from pydantic import PositiveInt, model_validator
from torch import Generator, Tensor, nn

from robustinfo.attacks import pgd
from robustinfo.core.settings import Norm, Pixels, Settings

ROLE = "single_step"
LOSS = "cross_entropy"


class Config(Settings):
    norm: Norm = "linf"
    epsilon: Pixels
    start_std: Pixels | None = None  # of Gaussian noise; None: where the attack starts without it
    restarts: PositiveInt = 1

    @model_validator(mode="after")
    def restarts_have_a_random_start(self) -> Self:
        """From x itself every run is the same."""
        if self.restarts > 1 and self.start_std is None:
            raise ValueError(f"{self.restarts} `restarts` from x are one; write a `start_std`")
        return self


def _as_pgd(config: Config) -> pgd.Config:
    options: dict[str, Any] = {
        "step_size": config.epsilon,
        "steps": 1,
        "random_start": config.start_std is not None,
    }
    return pgd.Config(**config.model_dump(), **options)


def craft(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> Tensor:
    """The end of one run for every image, successful or not. Like x."""
    return pgd.craft(model, x, y, config=_as_pgd(config), generator=generator)


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Attack x, (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, and lies within epsilon; a failure returns its x. A
    random start that is misclassified is a success, too.
    """
    return pgd.perturb(model, x, y, config=_as_pgd(config), generator=generator)
