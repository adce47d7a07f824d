"""Entropic retraining. Sperl and Böttinger (2020), arXiv 2008.03072, eq. 9-11.

minimise  L(f(x), y) + weight (E_T(batch) - factor E_T(pretrained))^2,
with E_T of ``maths/activation_entropy.py`` over the model's ``activations`` and E_T(pretrained)
measured once, on the training set, before the first step (lambda and sigma in the paper).

Only the first and the last of the activations matter, since E_T telescopes. And the paper takes
E_T > 0 for granted: where it is negative, factor > 1 pushes it further down, and a warning says so.
Which outputs count as layers decides its sign; see the model's file. E_T of a batch is the mean
over its images: a sum would grow with its size, which differs between the two trainings.
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
    accumulate,
    activation_entropy,
    entropy_flow,
    entropy_of_set,
    flow_penalty,
    refuse_negative,
)
from robustinfo.models._network import Network

log = logging.getLogger(__name__)

SAME_STEPS = True  # no step depends on a value or is random: see training/step.py


class Config(Settings):
    loss: Entry  # of losses/
    weight: Number  # of the term: lambda
    factor: PositiveNumber  # E_T that is wanted, over the one before: sigma


@torch.no_grad()
def prepare(
    model: Network, batches: Callable[[], Iterable[tuple[Tensor, Tensor]]], *, config: Config
) -> tuple[nn.Module, dict[str, Tensor]]:
    """E_T of the pretrained model over the training set: ``pretrained_flow``, a scalar.

    In eval mode; the model is left as it is. Raises ValueError if an activation is negative.
    """
    if len(model.activations) < 2:
        raise UserError("entropic retraining needs at least two `activations` in the model")
    sums: dict[str, Sums] = {}
    for x, _ in batches():
        with frozen(model):
            _, outputs = model.observe(x, model.activations)
        for layer, h in outputs.items():
            refuse_negative(h, layer)
            sums[layer] = accumulate(h, sums.get(layer))
    flow = entropy_flow([entropy_of_set(one) for one in sums.values()])
    if flow < 0 < config.factor - 1:
        log.warning("pretrained E_T is %.4g < 0: factor %g pushes it down", flow, config.factor)
    return model, {"pretrained_flow": flow.float()}


def outline(config: Config) -> Outline:
    """The names of its rows.

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
    """The loss terms, in nats and squared nats of E_T.  x: (n, c, h, w) in [0, 1].  y: (n,)."""
    loss = registry.get("losses", config.loss)
    logits, first, last = _first_and_last(model, x)
    target = config.factor * state["pretrained_flow"]
    penalty = flow_penalty(first, last, target, layers=len(model.activations))
    return {"clean": loss(logits, y), "entropic": config.weight * penalty}


def attack_term(
    model: Network, x: Tensor, y: Tensor, *, config: Config, state: dict[str, Tensor]
) -> tuple[Tensor, Tensor]:
    """Logits (n, K), and the entropic terms of single images, summed, for adaptive attacks."""
    logits, first, last = _first_and_last(model, x)
    fall = activation_entropy(first) - activation_entropy(last)
    gap = fall / (len(model.activations) - 1) - config.factor * state["pretrained_flow"]
    return logits, config.weight * gap.square().sum()


def _first_and_last(model: Network, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Logits, and the first and last activations: E_T telescopes, and needs no other layer."""
    first, last = model.activations[0], model.activations[-1]
    logits, outputs = model.observe(x, (first, last))
    return logits, outputs[first].float(), outputs[last].float()
