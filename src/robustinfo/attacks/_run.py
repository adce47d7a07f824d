"""One run of a gradient attack: every step is looked at, and images that have fallen may leave.

The steps themselves, their direction and projection, are foolbox's. An image counts as fooled by
logits alone here, beyond rounding (see _success.py); who searches has the model judge it.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import eagerpy as ep
import foolbox
import torch
from torch import Tensor, nn

from robustinfo.attacks._success import surely

# (network, x, y) -> logits (n, K), and what is climbed, a scalar.
Climbed = Callable[[nn.Module, Tensor, Tensor], tuple[Tensor, Tensor]]
BOX = (0, 1)


class Run(NamedTuple):
    """x and y, where the run stands, like x, and how far it goes: epsilon, and each step's size."""

    x: Tensor
    y: Tensor
    at: Tensor
    epsilon: float
    sizes: Sequence[float]


def walked(
    attack: foolbox.Attack, look: Callable[..., tuple[Tensor, Tensor | None]], run: Run, leave: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Where each image fooled last, like x; whether any step fooled, and the last: (n,) bool.

    look: (at, y, ahead=) -> (n,) bool, whether at fools; if there is a step ahead, the gradient.
    leave: an image leaves once it fools.
    """
    x, y, at = run.x, run.y, run.at
    found, fools = at.clone(), torch.zeros_like(y, dtype=torch.bool)
    rows, at_end = torch.arange(len(y), device=y.device), fools.clone()
    for step in range(len(run.sizes) + 1):
        ahead = step < len(run.sizes)
        wrong, gradient = look(at, y, ahead=ahead)
        found[rows[wrong]], fools[rows[wrong]] = at[wrong], True
        if not ahead:
            at_end[rows[wrong]] = True
            break
        if leave and wrong.any():
            stay = ~wrong
            rows, x, y, at, gradient = rows[stay], x[stay], y[stay], at[stay], gradient[stay]
        if not len(rows):
            break
        at = _stepped(attack, x, at, gradient, run.sizes[step], run.epsilon)
    return found, fools, at_end


def look(
    network: nn.Module,
    climbed: Climbed,
    precision: torch.dtype,
    x: Tensor,
    y: Tensor,
    *,
    ahead: bool,
) -> tuple[Tensor, Tensor | None]:
    """(n,) bool, whether x fools; if there is a step ahead, the gradient of what is climbed.

    precision: bfloat16 steers alone; what seems to fool is asked again as the network is.
    """
    if not ahead:
        return surely(network(x), y), None
    mixed, at = precision != torch.float32, x.clone()
    with torch.enable_grad(), torch.autocast(x.device.type, precision, enabled=mixed):
        logits, total = climbed(network, at.requires_grad_(), y)
    wrong = logits.argmax(1) != y if mixed else surely(logits, y)
    if mixed and wrong.any():
        wrong[wrong.clone()] = surely(network(x[wrong]), y[wrong])
    return wrong, torch.autograd.grad(total, at)[0]


def _stepped(
    attack: foolbox.Attack, x: Tensor, at: Tensor, gradient: Tensor, size: float, epsilon: float
) -> Tensor:
    x, at, gradient = ep.astensors(x, at, gradient)
    at = at + size * attack.normalize(gradient, x=at, bounds=BOX)
    return attack.project(at, x, epsilon).clip(*BOX).raw
