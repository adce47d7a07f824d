"""Entropic retraining. Sperl and Böttinger (2020), arXiv 2008.03072, eq. 9-11.

minimise  L(f(x), y) + weight (E_T(batch) - factor E_T(pretrained))^2,
with E_T of ``maths/activation_entropy.py`` over the model's ``activations`` and E_T(pretrained)
measured once, on the training set, before the first step (lambda and sigma in the paper).

Only the first and the last of the activations act, since E_T telescopes. And the paper takes
E_T > 0 for granted: where it is negative, factor > 1 pushes it further down, which is said in a
warning. Which outputs count as layers decides its sign; see the model's file. Of a batch, E_T is
the mean over its images: a sum would grow with its size, which differs between the two trainings.
"""

import logging
from collections.abc import Callable, Iterable

import torch
from torch import Generator, Tensor, nn

from robustinfo.attacks._frozen import frozen
from robustinfo.core import registry
from robustinfo.core.errors import UserError
from robustinfo.core.settings import Entry, Number, Outline, PositiveNumber, Settings
from robustinfo.maths.activation_entropy import (
    Sums,
    activation_entropy,
    entropy_flow,
    flow_penalty,
    of_set,
    refuse_negative,
    summed,
)
from robustinfo.models._network import Network

log = logging.getLogger(__name__)

SAME_STEPS = True  # no step depends on a value or draws anything: see stepping.py


class Config(Settings):
    loss: Entry  # of losses/
    weight: Number  # of the term: lambda
    factor: PositiveNumber  # E_T that is wanted, over the one before: sigma


@torch.no_grad()
def prepare(
    model: Network, batches: Callable[[], Iterable[tuple[Tensor, Tensor]]], *, config: Config
) -> tuple[nn.Module, dict[str, Tensor]]:
    """E_T of the model as it comes, over the training set: ``pretrained_flow``, a scalar.

    In eval mode; the model is left as it is. Raises ValueError if an activation is negative.
    """
    if len(model.activations) < 2:
        raise UserError("entropic retraining needs at least two `activations` in the model")
    sums: dict[str, Sums] = {}
    for x, _ in batches():
        with frozen(model):
            _, seen = model.observe(x, model.activations)
        for layer, h in seen.items():
            refuse_negative(h, layer)
            sums[layer] = summed(h, sums.get(layer))
    flow = entropy_flow([of_set(one) for one in sums.values()])
    if flow < 0 < config.factor - 1:
        log.warning("pretrained E_T is %.4g < 0: factor %g pushes it down", flow, config.factor)
    return model, {"pretrained_flow": flow.float()}


def outline(config: Config) -> Outline:
    """What its rows are called.

    clean  the loss on the clean images
    entropic  the squared distance of E_T of the batch from its target, by its weight
    """
    return [
        {
            "quantity": (
                "clean",
                "entropic",
            )
        }
    ]


def loss_terms(
    model: Network,
    x: Tensor,
    y: Tensor,
    *,
    config: Config,
    generator: Generator,
    state: dict[str, Tensor],
) -> dict[str, Tensor]:
    """x: (n, c, h, w) in [0, 1].  y: (n,) labels.  Terms in nats and squared natural-log units."""
    loss = registry.get("losses", config.loss)
    logits, first, last = _ends(model, x)
    target = config.factor * state["pretrained_flow"]
    penalty = flow_penalty(first, last, target, layers=len(model.activations))
    return {"clean": loss(logits, y), "entropic": config.weight * penalty}


def attack_term(
    model: Network, x: Tensor, y: Tensor, *, config: Config, state: dict[str, Tensor]
) -> tuple[Tensor, Tensor]:
    """Logits, and what an adaptive attacker climbs: the terms of single images, summed."""
    logits, first, last = _ends(model, x)
    fall = activation_entropy(first) - activation_entropy(last)
    gap = fall / (len(model.activations) - 1) - config.factor * state["pretrained_flow"]
    return logits, config.weight * gap.square().sum()


def _ends(model: Network, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Logits, and the first and last activations: E_T telescopes, no other layer acts."""
    first, last = model.activations[0], model.activations[-1]
    logits, seen = model.observe(x, (first, last))
    return logits, seen[first].float(), seen[last].float()
