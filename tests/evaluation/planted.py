"""Planted defects that remedies answer, each with the attack that knows it exactly."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from robustinfo.evaluation.threats import Ball
from tests.evaluation import exact_attacks
from tests.evaluation.defects.chance import noisy
from tests.evaluation.defects.defect import before
from tests.evaluation.defects.fronts import as_a_file, sixteen_greys
from tests.evaluation.defects.layers import of_winners

BALL = Ball(norm="linf", epsilon=exact_attacks.EPSILON)
SMALL_STEPS = [
    {"method": "pgd", "step_size": BALL.epsilon / 20, "steps": 20},
    {"method": "square", "queries": 200},
]
ON_CROSS_ENTROPY = ["fgsm", "pgd", "noise", "random_search", "square"]


class Rounded(torch.autograd.Function):
    """The identity, whose gradient is rounded to whole numbers."""

    @staticmethod
    def forward(ctx, t):
        return t.clone()

    @staticmethod
    def backward(ctx, gradient):
        return (1e-3 * gradient).round()


class Times(nn.Module):
    """Logits times a number."""

    def __init__(self, model: nn.Module, factor: float) -> None:
        super().__init__()
        self.model, self.factor = model, factor

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * self.model(x)


class Planted(NamedTuple):
    """A defect; the attack that knows it, or None where the function is left alone."""

    text: str
    network: Callable[[nn.Module], nn.Module]
    exact: Callable[..., Tensor] | None = None
    attacks: list | None = None  # instead of the protocol's
    behind: Callable[[nn.Module], nn.Module] = lambda model: model  # what the exact attack climbs


def through_numpy(x: Tensor) -> Tensor:
    return torch.from_numpy(x.numpy().copy())


PLANTED = {
    "scale": Planted(
        "10⁴ times the logits, attacked on the cross-entropy", lambda model: Times(model, 1e4),
        attacks=ON_CROSS_ENTROPY,
    ),
    "softmax": Planted(
        "10⁴ times the logits and a softmax",
        lambda model: nn.Sequential(Times(model, 1e4), nn.Softmax(1)),
    ),
    "detached": Planted("input detached", before(Tensor.detach)),
    "rounded": Planted("gradient rounded to whole numbers", before(Rounded.apply)),
    "numpy": Planted("input through numpy", before(through_numpy)),
    "greys": Planted(
        "input rounded to 16 greys", before(sixteen_greys), exact_attacks.on_sixteen_greys
    ),
    "noise": Planted("noise added to every input", before(noisy), exact_attacks.through_noise),
    "jpeg": Planted("JPEG of quality 50 in front", before(as_a_file), exact_attacks.through_jpeg),
    "winners": Planted(
        "k-winners-take-all, attacked with small steps", lambda model: of_winners(),
        exact_attacks.over_winners, SMALL_STEPS,
        behind=lambda model: of_winners(),
    ),
}  # fmt: skip
