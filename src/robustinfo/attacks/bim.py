"""Basic iterative method: PGD from the image itself, without restarts.

Kurakin et al. (2017), arXiv 1607.02533. Every step counts (see pgd.py), where the paper's attack is
the last one: that is ``last_step``.
"""

from pydantic import PositiveInt
from torch import Generator, Tensor, nn

from robustinfo.attacks import pgd
from robustinfo.core.settings import Norm, Pixels, Settings

ROLE = "iterated"
LOSS = "cross_entropy"
COUNTS = ("last_step",)  # of successes, in other ways


class Config(Settings):
    norm: Norm = "linf"
    epsilon: Pixels
    step_size: Pixels
    steps: PositiveInt = 10


def as_pgd(config: Config) -> pgd.Config:
    """The same attack as a configuration of PGD."""
    return pgd.Config(**config.model_dump(), random_start=False)


def craft(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> Tensor:
    """The last iterate of every image, successful or not. Like x."""
    return pgd.craft(model, x, y, config=as_pgd(config), generator=generator)


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Attack x, (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, and lies within epsilon; a failure returns its x.
    """
    return pgd.perturb(model, x, y, config=as_pgd(config), generator=generator)


def perturb_with_extras(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """``perturb``, and ``last_step``, (n,) bool: broken at the last step, as in the paper."""
    return pgd.perturb_with_extras(model, x, y, config=as_pgd(config), generator=generator)
