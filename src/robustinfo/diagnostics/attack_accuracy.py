"""Accuracy under a gradient attack: swept over epsilon, it must fall, and reach 0 where it is huge.

Carlini et al. (2019), arXiv 1902.06705, section 5. A model that resists an attack of unbounded
epsilon is not robust: the attack has failed. Swept over steps, it must become flat: until then the
attack has not converged. By default each attack is one run from a uniform start.

Carlini and Wagner's attack has one constant here and searches for no other, as arXiv 2302.10896
swept its steps (figure 3b; its code: unbounded, c = 0.1, Adam's rate 0.1).
"""

from typing import Any, Literal, Self

import torch
from pydantic import PositiveInt, model_validator
from torch import Generator, Tensor, nn

from robustinfo.attacks import carlini_wagner, mi_fgsm, pgd
from robustinfo.attacks._gradient_safe import GradientSafe
from robustinfo.core.batches import correct, memory_batches
from robustinfo.core.measurement import Measurement, fraction
from robustinfo.core.settings import Norm, Outline, Pixels, PositiveNumber, Settings

QUANTITY = "attack_accuracy"
UNIT = 1 / 255  # one of the 256 values of a pixel


class Strength(Settings):  # of a gradient attack, whatever its loss
    norm: Norm = "linf"
    epsilon: Pixels
    steps: PositiveInt | None = 20  # None: as many as epsilon has 255ths, at least one
    step_size: Pixels | None = None  # None: so that all steps together are ``reach`` epsilons long
    reach: PositiveNumber = 2.5  # length of all steps together, in epsilons
    least_step_size: Pixels = 0.0  # of one that is None
    start_std: Pixels | None = None  # of Gaussian noise; None: uniform in the ball
    restarts: PositiveInt = 1

    @property
    def path(self) -> dict[str, Any]:
        """Ball, step size and steps, as every iterated attack takes them."""
        steps = self.steps or max(1, round(self.epsilon / UNIT))
        size = self.step_size
        if size is None:
            size = max(self.least_step_size, self.reach * self.epsilon / steps)
        numbers = {"norm": self.norm, "epsilon": self.epsilon}
        return numbers | {"step_size": size, "steps": steps}

    @property
    def starts(self) -> dict[str, Any]:
        """The random starts of PGD."""
        return {"start_std": self.start_std, "restarts": self.restarts}


class Config(Strength):
    attack: Literal["pgd", "margin_pgd", "ni_fgsm", "carlini_wagner"] = "pgd"  # which one
    # None, of carlini_wagner: any perturbation counts
    epsilon: Pixels | None  # type: ignore[assignment]
    initial_const: PositiveNumber = 0.1  # of carlini_wagner, whose step_size is Adam's rate

    @model_validator(mode="after")
    def carlini_wagner_is_another_attack(self) -> Self:
        """It minimises a distance in l2; no size of its steps follows from epsilon."""
        if self.attack != "carlini_wagner":
            if self.epsilon is None:
                raise ValueError("`epsilon: null` is of `attack: carlini_wagner` alone")
        elif self.norm != "l2" or None in (self.steps, self.step_size):
            raise ValueError("carlini_wagner takes `norm: l2`, `steps` and a `step_size`")
        return self

    @model_validator(mode="after")
    def only_pgd_draws_where_it_starts(self) -> Self:
        """A second run of a deterministic attack would repeat the first."""
        drawn = self.starts != {"start_std": None, "restarts": 1}
        if drawn and self.attack in ("ni_fgsm", "carlini_wagner"):
            raise ValueError(f"`{self.attack}` starts at x; leave out `start_std` and `restarts`")
        return self


def outline(config: Config) -> Outline:
    """The names of its rows.

    attack_accuracy  fraction of the images that are correct, clean and under the attack
    """
    return [{"quantity": ("attack_accuracy",)}]


def diagnose(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> list[Measurement]:
    """Accuracy under the attack.  x: (n, c, h, w) in [0, 1].  y: (n,) labels."""
    return [fraction(QUANTITY, robust(model, x, y, config=config, generator=generator))]


def robust(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> Tensor:
    """Whether each image is correct when clean and under the attack, (n,) bool."""
    (perturb, attack), network = _attack(config), GradientSafe(model).eval()
    success = torch.cat(
        [
            perturb(network, a, b, config=attack, generator=generator)[1]
            for a, b in memory_batches(x, y)
        ]
    )
    return correct(model, x, y) & ~success


def _attack(config: Config) -> tuple:
    """The attack's ``perturb`` and its settings."""
    if config.attack == "carlini_wagner":
        names = ("norm", "epsilon", "steps", "step_size", "initial_const")
        numbers = {name: getattr(config, name) for name in names}
        return carlini_wagner.perturb, carlini_wagner.Config(**numbers, binary_search_steps=1)
    if config.attack == "ni_fgsm":
        return mi_fgsm.perturb, mi_fgsm.Config(**config.path, nesterov=True)
    objective = {"pgd": "cross_entropy", "margin_pgd": "margin"}[config.attack]
    numbers = config.path | config.starts | {"objective": objective, "until": "fooled"}
    return pgd.perturb, pgd.Config(**numbers)
