"""Defects of attacks that leave the ball, or count wrongly."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from robustinfo.attacks import pgd
from robustinfo.evaluation.threats import Ball
from tests.evaluation.defects.defect import (
    EPSILON,
    STEP_SIZE,
    STEPS,
    After,
    Before,
    Planted,
    claims,
    only,
    undefended,
)
from tests.evaluation.defects.layers import MEAN, STD

SURE = 0.9  # of an error: below, an attack of the study claims no success
CONFIG = pgd.Config(epsilon=EPSILON, step_size=STEP_SIZE, steps=STEPS)


def perturbed(model: nn.Module, x: Tensor, y: Tensor, generator: Generator) -> Tensor:
    return pgd.perturb(model, x, y, config=CONFIG, generator=generator)[0]


def slope(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """The gradient of the cross-entropy in x."""
    at = x.detach().clone().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(model(at), y, reduction="sum"), at)[0]


def out_of_bounds(model, x, y, *, generator):
    """FGSM in bounds of [-1, 1]."""
    x_adv = (x + EPSILON * slope(model, x, y).sign()).clamp(-1, 1)
    return x_adv, model(x_adv).argmax(1) != y


def on_normalised_inputs(model, x, y, *, generator):
    """PGD on (x - mean) / std, cut to [0, 1] there."""
    normalised = Before(lambda z: MEAN + STD * z, model)
    z = ((x - MEAN) / STD).clamp(0, 1)
    z_adv, success = pgd.perturb(normalised, z, y, config=CONFIG, generator=generator)
    return MEAN + STD * z_adv, success


def black_images(model, x, y, *, generator):
    """What fails comes back black, and black images are misclassified."""
    x_adv, success = pgd.perturb(model, x, y, config=CONFIG, generator=generator)
    x_adv = torch.where(success[:, None, None, None], x_adv, torch.zeros_like(x))
    return x_adv, model(x_adv).argmax(1) != y


def clean_errors(model, x, y, *, generator):
    """Images that were wrong from the start are successes."""
    x_adv = perturbed(model, x, y, generator)
    return x_adv, model(x_adv).argmax(1) != y


def stepping(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    generator: Generator,
    step: Callable[[Tensor], Tensor],
    drifts: bool = False,
) -> tuple[Tensor, Tensor]:
    """STEPS steps from x, each a function of the gradient; within the ball around x, or, where it
    drifts, around the point before.
    """
    x_adv = x
    for _ in range(STEPS):
        moved, centre = x_adv + step(slope(model, x_adv, y)), x_adv if drifts else x
        x_adv = torch.clamp(moved, centre - EPSILON, centre + EPSILON).clamp(0, 1)
    return x_adv, claims(model, x, y, x_adv)


def without_a_front(ball: Ball, network: nn.Module):
    """PGD on the bare network, and its successes counted there."""

    def perturb(model, x, y, *, generator):
        bare = network.model
        x_adv = perturbed(bare, x, y, generator)
        return x_adv, claims(bare, x, y, x_adv)

    return only(perturb)(ball, network)


def sure_alone(model, x, y, *, generator):
    """Only errors that the network is sure of are claimed; the others are passed on in silence."""
    x_adv, _ = stepping(model, x, y, generator=generator, step=lambda g: STEP_SIZE * g.sign())
    with torch.no_grad():
        wrong = 1 - model(x_adv).softmax(1).gather(1, y[:, None])[:, 0]
    return x_adv, claims(model, x, y, x_adv) & (wrong > SURE)


def while_training(model, x, y, *, generator):
    """FGSM on the network in training mode, in which it is left."""
    model.train()
    x_adv = (x + EPSILON * slope(model, x, y).sign()).clamp(0, 1)
    return x_adv, claims(model, x, y, x_adv)


def with_dropout(model: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Dropout(0.5), undefended())


def unsure(model: nn.Module) -> nn.Module:
    """The same answers, with probabilities near each other."""
    return After(undefended(), lambda logits: logits / 20)


def blurred(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 7, stride=1, padding=3)


DRIFTING = partial(stepping, step=lambda slope: STEP_SIZE * slope.sign(), drifts=True)
PLANTED = {
    "bounds": Planted(attacks=only(out_of_bounds)),
    "normalised": Planted(attacks=only(on_normalised_inputs)),
    "drifting": Planted(attacks=only(DRIFTING)),
    "black": Planted(attacks=only(black_images)),
    "clean_errors": Planted(attacks=only(clean_errors)),
    "without_front": Planted(lambda model: Before(blurred, model), without_a_front),
    "training": Planted(with_dropout, only(while_training)),
    "silent": Planted(unsure, only(sure_alone)),
}
