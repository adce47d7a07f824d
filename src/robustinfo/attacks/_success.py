"""Whether an image fools a network: by more than what rounding alone can decide.

A logit is a sum of many products, whose order changes with the size of the batch, and its last
digits with it. An attack that stops at the decision boundary ends among them: of two classes that
are as likely, now one wins and now the other. So an image fools where the best other logit exceeds
the true one by more than ``ROUNDING`` units of the arithmetic, relative to the image's largest
logit: 1.2e-5 of it in float32. Below that, a float64 copy of the network decides, by as many units
of float64. Where there is none, or it answers otherwise by more than rounding, nothing is shown,
and the image does not fool.

Measured on one CPU in the same units, between batches of 1 to 512 images and against float64: at
most 5.4 on LeNet-5 and on fully connected networks (MNIST, digits), 16.3 on a trained ResNet-18 of
8 filters (MNIST), 11.4 on an untrained one of 64 and 6.3 on a WideResNet-28. Exact ties, as of
rounded logits, are no success either, whichever class ``argmax`` names: the label is as likely as
any. An image that is clean is what ``argmax`` says.
"""

from copy import deepcopy

import torch
from torch import Tensor, nn

from robustinfo.attacks._frozen import frozen
from robustinfo.core.batches import together
from robustinfo.maths.balls import feasible
from robustinfo.maths.margin import margin

ROUNDING = 100  # units in the last place of the largest logit


@torch.no_grad()
def lead(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """(n,) by how much a wrong class leads, in logits; 0 where arithmetic cannot tell who does.

    x: (n, c, h, w) in [0, 1], or texts.  y: (n,) labels.  Modes stay as they are. Where logits are
    NaN or infinite, the sign is that of ``argmax``.
    """
    return torch.cat([_lead(model, a, b) for a, b in together(x, y)])


def fooled(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """(n,) bool: is a wrong class ahead, beyond rounding? x and y as ``lead`` takes them."""
    return lead(model, x, y) > 0


@torch.no_grad()
def judged(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    x_adv: Tensor,
    *,
    norm: str,
    epsilon: float | None,
    found: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """(x_adv, success): success on images correct when clean, wrong now, and within epsilon.

    Wrong by more than rounding. When clean, an image is what ``argmax`` says.
    found: (n,) the attack's own flag, if it has one. Where there is no success, x comes back.
    """
    with frozen(model):
        success = (model(x).argmax(1) == y) & fooled(model, x_adv, y)
    success &= feasible(x, x_adv, norm, epsilon)
    if found is not None:
        success &= found
    keep = success.view(-1, *[1] * (x.ndim - 1))
    return torch.where(keep, x_adv, x), success


def surely(logits: Tensor, y: Tensor) -> Tensor:
    """(n,) bool: ``fooled`` by logits (n, K) alone; within rounding it is False."""
    ahead, least = _ahead(logits, y)
    return ahead > least


def _lead(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    ahead, least = _ahead(model(x), y)
    near = (ahead.abs() <= least).nonzero().squeeze(1)
    if len(near):
        finer = _in_double(model, x[near], y[near])
        agrees = (finer - ahead[near]).abs() <= least[near]
        ahead[near] = torch.where(agrees, finer, 0).to(ahead)
    return ahead


def _rounding(logits: Tensor) -> Tensor:
    """(n,) how large a difference of two of an image's logits (n, K) may be rounding alone."""
    largest = logits.abs().nan_to_num(posinf=0).amax(1)
    return ROUNDING * torch.finfo(logits.dtype).eps * largest


def _ahead(logits: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """(n,) the best other logit minus the true one, and how much of it rounding can be."""
    ahead = -margin(logits, y)
    wrong = logits.argmax(1) != y
    ahead = torch.where(ahead.isfinite(), ahead, torch.where(wrong, torch.inf, -torch.inf))
    return ahead, _rounding(logits)


def _in_double(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """(n,) float64: the lead by a float64 copy, 0 within its rounding; NaN where there is none."""
    try:
        logits = deepcopy(model).double()(x.double() if x.is_floating_point() else x)
    except Exception:  # a stranger's network may fail in any way, and then float32 is all there is
        return torch.full(y.shape, torch.nan, dtype=torch.double, device=y.device)
    ahead, least = _ahead(logits, y)
    return torch.where(ahead.abs() > least, ahead, 0).double()
