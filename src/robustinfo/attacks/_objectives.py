"""The losses that gradient attacks maximise: functions of the logits, summed over the images.

``objective``:

cross_entropy  -log softmax(f)_y, in float32 flat where f is sure, from a lead of about 100 on
margin         max_{i != y} f_i - f_y, the loss of Carlini and Wagner (2017), arXiv 1608.04644, on
               the logits and not cut at a confidence, so that images go on beyond the boundary
dlr            -(f_y - max_{i != y} f_i) / (f_(1) - f_(3)), f_(i) the i-th largest: the difference
               of logits ratio of Croce and Hein (2020), arXiv 2003.01690, of three classes or
               more, which no scale or shift of f changes
``margin``, "CW-PGD", and ``dlr`` do not flatten where the network is sure, and the cross-entropy
does; nor does that of the logits over a ``temperature``, up to a lead of about 100 temperatures,
nor that of a float64 copy, ``precision: float64``, up to about 745. On a network that is not sure,
a temperature far above the lead raises the mean of all wrong logits, which may miss the best one.
``precision: bfloat16``, for GPUs, speeds a search up.
"""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Literal, Self

import torch
from pydantic import model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from robustinfo.attacks._bfloat16 import bfloat16_logits
from robustinfo.core.errors import UserError
from robustinfo.core.settings import PositiveNumber, Settings
from robustinfo.maths.margin import margin

# (network, x, y) -> logits (n, K), and the loss to maximise, summed over the images: a scalar.
Loss = Callable[[nn.Module, Tensor, Tensor], tuple[Tensor, Tensor]]


class Objective(Settings):
    # the loss that is climbed
    objective: Literal["cross_entropy", "margin", "dlr"] = "cross_entropy"
    temperature: PositiveNumber = 1.0  # by which the logits are divided, of the cross-entropy
    precision: Literal["float32", "bfloat16", "float64"] = "float32"  # of the steps

    @model_validator(mode="after")
    def only_the_cross_entropy_has_a_temperature(self) -> Self:
        """A temperature changes neither the margin's direction nor DLR."""
        if self.temperature != 1 and self.objective != "cross_entropy":
            problem = f"`temperature` changes the cross-entropy alone, not `{self.objective}`"
            raise ValueError(f"{problem}; leave one out")
        return self

    @property
    def loss_name(self) -> str:
        """The loss's name, with its temperature and precision, which change its gradients."""
        temperature = ["tempered"] if self.temperature != 1 else []
        precision = ["float64"] if self.precision == "float64" else []
        return " ".join([*precision, *temperature, self.objective])

    def attack_loss(self, model: nn.Module) -> Loss:
        """The loss as a function; float64 computes it on a copy of the model."""
        plain = (
            OBJECTIVES[self.objective]
            if self.temperature == 1
            else tempered_cross_entropy(self.temperature)
        )
        if self.precision == "bfloat16":
            return in_bfloat16(plain)
        return in_double(plain, model) if self.precision == "float64" else plain


def loss_gradient(network: nn.Module, loss: Loss, at: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (n, K) at these images, and the gradient of the loss, like ``at``."""
    at = at.detach().clone().requires_grad_()
    with torch.enable_grad():
        logits, total = loss(network, at, y)
    return logits.detach(), torch.autograd.grad(total, at)[0]


def cross_entropy(network: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (n, K), and their cross-entropy, summed over the images."""
    return tempered_cross_entropy(1.0)(network, x, y)


def tempered_cross_entropy(temperature: float) -> Loss:
    """The cross-entropy of f / temperature."""

    def loss(network: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        logits = network(x)
        return logits, F.cross_entropy(logits / temperature, y, reduction="sum")

    return loss


def summed(per_image: Callable[[Tensor, Tensor], Tensor]) -> Loss:
    """The sum of a loss per image, (logits (n, K), y) -> (n,), computed in float32 at least."""

    def loss(network: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        logits = network(x)
        precise = logits.to(torch.promote_types(logits.dtype, torch.float32))
        return logits, per_image(precise, y).sum()

    return loss


def difference_of_logits_ratio(logits: Tensor, y: Tensor) -> Tensor:
    """DLR, (n,), above 0 where misclassified.  logits: (n, K), K > 2, or UserError.  y: (n,)."""
    if logits.shape[1] < 3:
        raise UserError(
            f"`dlr` compares with the third largest logit, and the network has {logits.shape[1]}; "
            "write `objective: margin`"
        )
    largest = logits.topk(3, dim=1).values
    spread = (largest[:, 0] - largest[:, 2]).clamp(min=torch.finfo(logits.dtype).tiny)
    return -margin(logits, y) / spread


OBJECTIVES = {
    "cross_entropy": cross_entropy,
    "margin": summed(lambda logits, y: -margin(logits, y)),
    "dlr": summed(difference_of_logits_ratio),
}


def in_bfloat16(loss: Loss) -> Loss:
    """The same loss, its gradient computed in bfloat16, which never decides on a success."""

    def steered(network: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return loss(partial(bfloat16_logits, network, y=y), x, y)  # type: ignore[arg-type]

    return steered


def in_double(loss: Loss, model: nn.Module) -> Loss:
    """The same loss, computed in float64 by a copy of the model in eval mode.

    Its gradient is normalised to length 1 per image: one of 1e-200 would be 0 in float32. Raises
    UserError where the model has no such copy.
    """
    try:
        copy = deepcopy(model).double().eval().requires_grad_(False)
    except Exception as error:  # the user's network may fail in any way
        raise _no_double(error) from None

    def direction(_: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        at = x.detach().double().requires_grad_()
        try:
            with torch.enable_grad():
                logits, total = loss(copy, at, y)
        except RuntimeError as error:
            raise _no_double(error) from None
        if logits.dtype != torch.double:
            raise _no_double(f"its logits are {logits.dtype}")
        (gradient,) = torch.autograd.grad(total, at)
        return logits.to(x.dtype), (l2_normalised(gradient).to(x.dtype) * x).sum()

    return direction


def _no_double(why: object) -> UserError:
    lines = str(why).strip().splitlines() or [repr(why)]
    return UserError(f"the network does not compute in float64 ({lines[0]}); leave out `precision`")


def l2_normalised(gradient: Tensor) -> Tensor:
    """Each image's gradient over its l2 norm, (n, ...) -> (n, ...); 0 and NaN give 0."""
    flat = gradient.flatten(1).nan_to_num(nan=0.0)
    largest = flat.abs().amax(1, keepdim=True)
    flat = flat / torch.where(largest > 0, largest, 1)  # squares would leave float32
    size = flat.norm(dim=1, keepdim=True)
    return (flat / torch.where(size > 0, size, 1)).view_as(gradient)
