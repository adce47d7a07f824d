"""Defects within the network: its layers, their backward passes, and their state."""

from copy import deepcopy
from functools import cache

import torch
from torch import Tensor, nn

from robustinfo.evaluation.attacks import attacks_of
from tests.evaluation.defects.defect import (
    IN_BALL,
    PGD,
    SQUARE,
    Before,
    Planted,
    undefended,
)
from tests.evaluation.networks import trained

MEAN, STD = 0.13, 0.31  # of MNIST's pixels


class AlwaysTraining(nn.Module):
    """BatchNorm that takes its statistics from the batch whatever mode it is in."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.norm, self.model = nn.BatchNorm2d(1), model

    def forward(self, x: Tensor) -> Tensor:
        return self.model(MEAN + STD * self.norm.train()(x))


class RunningMean(nn.Module):
    """The mean of all images so far is taken off, and goes on running in eval mode."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("mean", torch.tensor(MEAN))

    def forward(self, x: Tensor) -> Tensor:
        self.mean.lerp_(x.detach().mean(), 0.1)
        return self.model(x - self.mean + MEAN)


class Winners(nn.Module):
    """k-winners-take-all (Xiao et al. 2020, arXiv 1905.10510): all but the largest become 0."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, t: Tensor) -> Tensor:
        flat = t.flatten(1)
        k = max(1, int(self.share * flat.shape[1]))
        least = flat.topk(k, dim=1).values[:, -1:]
        return (flat * (flat >= least)).view_as(t)


@cache
def of_winners() -> nn.Module:
    """A plainly trained LeNet-5 whose activations are k-winners-take-all."""
    return trained("digits", "standard", 0, lambda: Winners(0.1))


class Turned(torch.autograd.Function):
    """The identity, with a gradient of the other sign."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        return -gradient


class Watching(nn.Module):
    """Where gradients are recorded, the answers are those for the mirrored image."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        watched = torch.is_grad_enabled() and x.requires_grad
        return self.model(x.flip(3) if watched else x)


def with_layers(model: nn.Module, layer: type[nn.Module]) -> nn.Module:
    """A copy with such a layer after every ReLU."""
    model = deepcopy(model)
    for name, part in list(model.named_modules()):
        if isinstance(part, nn.ReLU):
            model.set_submodule(name, nn.Sequential(part, layer()))
    return model


def small_steps(ball, network):
    """PGD whose steps are too small for a loss of many ridges, beside a black box."""
    pgd = PGD | IN_BALL | {"step_size": ball.epsilon / 20}
    return attacks_of({"pgd": pgd, "margin_pgd": pgd | {"objective": "margin"}, "square": SQUARE})


PLANTED = {
    "winners": Planted(lambda model: of_winners(), small_steps),
    "turned": Planted(lambda model: Before(Turned.apply, undefended())),
    "watching": Planted(lambda model: Watching(undefended())),
    "batch_norm": Planted(AlwaysTraining),
    "running": Planted(RunningMean),
}
