"""Entropic retraining. Sperl and Böttinger (2020), arXiv 2008.03072, eq. 9-11.

minimise  L(f(x), y) + weight (E_T(batch) - factor E_T(pretrained))^2,
with E_T of ``maths/activation_entropy.py`` over the model's ``activations`` and E_T(pretrained)
measured once, on the training set, before the first step (lambda and sigma in the paper).

Only the first and the last of the activations act, since E_T telescopes. And the paper takes
E_T > 0 for granted: where it is negative, factor > 1 pushes it further down, which is said in a
warning. Which outputs count as layers decides its sign; see the model's file.
"""

import logging
from collections.abc import Callable, Iterable

import torch
from torch import Generator, Tensor, nn

from robustinfo import catalogue
from robustinfo.attacks._foolbox import frozen
from robustinfo.faults import Fault
from robustinfo.maths.activation_entropy import activation_entropy, entropy_flow, refuse_negative
from robustinfo.models._network import Network
from robustinfo.settings import Entry, Number, PositiveNumber, Settings

log = logging.getLogger(__name__)


class Config(Settings):
    loss: Entry  # of losses/
    weight: Number  # lambda
    factor: PositiveNumber  # sigma


@torch.no_grad()
def prepare(
    model: Network, batches: Callable[[], Iterable[tuple[Tensor, Tensor]]], *, config: Config
) -> tuple[nn.Module, dict[str, Tensor]]:
    """E_T of the model as it comes, averaged over the training set: ``pretrained_flow``, a scalar.

    In eval mode; the model is left as it is. Raises ValueError if an activation is negative.
    """
    if len(model.activations) < 2:
        raise Fault("entropic retraining needs at least two `activations` in the model")
    flow, n = 0.0, 0
    for x, _ in batches():
        with frozen(model):
            _, seen = model.observe(x, model.activations)
        for layer, h in seen.items():
            refuse_negative(h, layer)
        flow += entropy_flow([activation_entropy(h.double()) for h in seen.values()]).sum()
        n += len(x)
    flow = flow / n
    if flow < 0 < config.factor - 1:
        log.warning("pretrained E_T is %.4g < 0: factor %g pushes it down", flow, config.factor)
    return model, {"pretrained_flow": flow.float()}


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
    loss = catalogue.get("losses", config.loss)
    points = (model.activations[0], model.activations[-1])  # E_T telescopes: no other layer acts
    logits, seen = model.observe(x, points)
    # entropy_flow of two layers, rescaled to the M - 1 steps between the first and the last.
    steps = len(model.activations) - 1
    flow = entropy_flow([activation_entropy(seen[p].float()) for p in points]).mean() / steps
    gap = flow - config.factor * state["pretrained_flow"]
    return {"clean": loss(logits, y), "entropic": config.weight * gap.square()}
