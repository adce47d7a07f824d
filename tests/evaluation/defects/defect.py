"""How a defect is planted, and the small parts that several are made of."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from robustinfo.evaluation.attacks import Attack
from robustinfo.evaluation.threats import Ball, Threat
from tests.evaluation.networks import honest

EPSILON, STEP_SIZE, STEPS = 0.15, 0.02, 20  # linf, of the attacks written for a defect
PGD = {"method": "pgd", "epsilon": EPSILON, "step_size": STEP_SIZE, "steps": STEPS}
IN_BALL = {"norm": "linf", "epsilon": EPSILON}
SQUARE = {"method": "square", **IN_BALL, "queries": 200}


class Planted(NamedTuple):
    """How a defect is planted.

    network: of the honest network. attacks: of the ball and the defective network, instead of the
    protocol's. ball: of the honest ball.
    """

    network: Callable[[nn.Module], nn.Module] = lambda model: model
    attacks: Callable[[Ball, nn.Module], dict[str, Attack]] | None = None
    ball: Callable[[Ball], Ball] = lambda ball: ball


class Before(nn.Module):
    """A network that sees its images changed."""

    def __init__(self, change: Callable[[Tensor], Tensor], model: nn.Module) -> None:
        super().__init__()
        self.change, self.model = change, model

    def forward(self, x: Tensor) -> Tensor:
        return self.model(self.change(x))


class After(nn.Module):
    """A network whose logits are changed."""

    def __init__(self, model: nn.Module, change: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.model, self.change = model, change

    def forward(self, x: Tensor) -> Tensor:
        return self.change(self.model(x))


def before(change: Callable[[Tensor], Tensor]) -> Callable[[nn.Module], nn.Module]:
    return lambda model: Before(change, model)


def after(change: Callable[[Tensor], Tensor]) -> Callable[[nn.Module], nn.Module]:
    return lambda model: After(model, change)


def undefended() -> nn.Module:
    """A plain network: all the robustness that it seems to have is the defect's."""
    return honest("digits", "standard", 0).model


def only(perturb: Callable, role: str = "iterated") -> Callable[..., dict[str, Attack]]:
    """An attack of one's own, and no other."""
    return lambda ball, network: {"own": Attack(Threat(role, "linf", EPSILON), perturb, {})}


def claims(model: nn.Module, x: Tensor, y: Tensor, x_adv: Tensor) -> Tensor:
    """The images that were right and are wrong now, (n,) bool."""
    with torch.no_grad():
        return (model(x).argmax(1) == y) & (model(x_adv).argmax(1) != y)
