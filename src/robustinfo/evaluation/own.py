"""Attacks of the user: a function, or adversarial images that were crafted before.

Each success is verified, and joined to the worst case. What lies outside the ball, or is classified
correctly, is no success; it is counted, and says nothing of the network. They count as ``adaptive``
attacks: who crafts them may know the defence.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Generator, Tensor, nn

from robustinfo.attacks._success import keep_successes
from robustinfo.core.batches import ImageSource, to_float
from robustinfo.core.errors import UserError
from robustinfo.evaluation.attacks import OWN, Attack
from robustinfo.evaluation.threats import Ball, Threat


def own_attack(function: Callable, ball: Ball) -> Attack:
    """An attack whose function is (model, x, y, generator=) -> x_adv, or (x_adv, success).

    x: (n, c, h, w) in [0, 1].  y: (n,) labels. x_adv: like x; success: (n,) bool, its claim.
    """
    name = getattr(function, "__name__", type(function).__name__)
    entry = {"method": OWN, "name": name, "module": getattr(function, "__module__", "")}

    def perturb(
        model: nn.Module, x: Tensor, y: Tensor, *, generator: Generator
    ) -> tuple[Tensor, Tensor]:
        try:
            result = function(model, x, y, generator=generator)
        except TypeError as error:
            raise UserError(
                f"the attack {name} failed ({error}); it is called as {name}(model, x, y, "
                "generator=...) and returns images like x"
            ) from error
        x_adv, claimed = result if isinstance(result, tuple) else (result, None)
        _check_like(x_adv, x, name)
        if claimed is not None:
            claimed = torch.as_tensor(claimed, device=x.device).bool()
        x_adv = x_adv.detach().to(x)
        return x_adv, _claims(model, x, y, x_adv, ball, claimed)

    return Attack(_threat(ball), perturb, entry, reusable=False)


def crafted_images(images: ImageSource, ball: Ball, name: str) -> Attack:
    """An attack that is nothing but its images: (n, c, h, w), in the order of the judged ones."""

    def perturb(
        model: nn.Module, x: Tensor, y: Tensor, *, generator: Generator, crafted: Tensor
    ) -> tuple[Tensor, Tensor]:
        x_adv = to_float(crafted, x.device)
        _check_like(x_adv, x, name)
        return x_adv, _claims(model, x, y, x_adv, ball, None)

    return Attack(_threat(ball), perturb, {"method": OWN, "name": name}, images)


def attack_name(text: str, taken: Iterable[str]) -> str:
    """A name for files and tables, of letters, digits, ``_`` and ``-``, that is not taken."""
    name = first = re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_")[:60] or OWN
    number = 2
    while name in taken:
        name, number = f"{first}_{number}", number + 1
    return name


def _threat(ball: Ball) -> Threat:
    return Threat("adaptive", ball.norm, ball.epsilon, OWN)


def _claims(
    model: nn.Module, x: Tensor, y: Tensor, x_adv: Tensor, ball: Ball, claimed: Tensor | None
) -> Tensor:
    return keep_successes(
        model, x, y, x_adv, norm=ball.norm, epsilon=ball.epsilon, claimed=claimed
    )[1]


def _check_like(x_adv: Any, x: Tensor, name: str) -> None:  # noqa: ANN401
    """Raise UserError unless x_adv is a float tensor of the shape of x, without NaN."""
    problem = ""
    if not isinstance(x_adv, Tensor):
        problem = f"{type(x_adv).__name__}, not a tensor"
    elif x_adv.shape != x.shape:
        problem = f"images of shape {tuple(x_adv.shape)} for {tuple(x.shape)}"
    elif not x_adv.is_floating_point():
        problem = f"{x_adv.dtype}, not floats in [0, 1]"
    elif not x_adv.isfinite().all():
        problem = "NaN or infinite pixels"
    if problem:
        raise UserError(f"the attack {name} gave {problem}; let it return images like x")
