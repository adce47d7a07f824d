"""Success of an attack: misclassification by more than rounding alone can decide.

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
from robustinfo.core.batches import memory_batches
from robustinfo.maths.balls import feasible
from robustinfo.maths.margin import margin

ROUNDING = 100  # units in the last place of the largest logit


@torch.no_grad()
def lead(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """The best wrong logit minus the true one, (n,); 0 where it is within rounding.

    x: (n, c, h, w) in [0, 1], or texts.  y: (n,) labels.  Modes stay as they are. Where logits are
    NaN or infinite, the sign is that of ``argmax``.
    """
    return torch.cat([_lead(model, a, b) for a, b in memory_batches(x, y)])


def fooled(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Whether x is misclassified by more than rounding, (n,) bool. x and y as in ``lead``."""
    return lead(model, x, y) > 0


@torch.no_grad()
def keep_successes(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    x_adv: Tensor,
    *,
    norm: str,
    epsilon: float | None,
    claimed: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """(x_adv, success): images correct when clean, misclassified now, and within epsilon.

    Misclassified by more than rounding; correct when clean by ``argmax``. claimed: (n,) bool, the
    attack's own flag of success, if it has one. Where there is no success, x_adv is x.
    """
    with frozen(model):
        success = (model(x).argmax(1) == y) & fooled(model, x_adv, y)
    success &= feasible(x, x_adv, norm, epsilon)
    if claimed is not None:
        success &= claimed
    keep = success.view(-1, *[1] * (x.ndim - 1))
    return torch.where(keep, x_adv, x), success


def clearly_fooled(logits: Tensor, y: Tensor) -> Tensor:
    """``fooled`` by logits (n, K) alone, (n,) bool; False within rounding."""
    ahead, tolerance = _lead_and_rounding(logits, y)
    return ahead > tolerance


def _lead(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    ahead, tolerance = _lead_and_rounding(model(x), y)
    near = (ahead.abs() <= tolerance).nonzero().squeeze(1)
    if len(near):
        in_double = _in_double(model, x[near], y[near])
        agrees = (in_double - ahead[near]).abs() <= tolerance[near]
        ahead[near] = torch.where(agrees, in_double, 0).to(ahead)
    return ahead


def _rounding(logits: Tensor) -> Tensor:
    """The largest difference of two of an image's logits (n, K) that rounding explains, (n,)."""
    largest = logits.abs().nan_to_num(posinf=0).amax(1)
    return ROUNDING * torch.finfo(logits.dtype).eps * largest


def _lead_and_rounding(logits: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The best wrong logit minus the true one, and its rounding error, (n,) each."""
    ahead = -margin(logits, y)
    wrong = logits.argmax(1) != y
    ahead = torch.where(ahead.isfinite(), ahead, torch.where(wrong, torch.inf, -torch.inf))
    return ahead, _rounding(logits)


def _in_double(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """The lead by a float64 copy, (n,) float64, 0 within its rounding; NaN where no copy runs."""
    try:
        logits = deepcopy(model).double()(x.double() if x.is_floating_point() else x)
    except Exception:  # the user's network may fail in any way, and then float32 is all there is
        return torch.full(y.shape, torch.nan, dtype=torch.double, device=y.device)
    ahead, tolerance = _lead_and_rounding(logits, y)
    return torch.where(ahead.abs() > tolerance, ahead, 0).double()
