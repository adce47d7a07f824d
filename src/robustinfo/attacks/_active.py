"""Steps of an attack that looks at every step, and may go on without the images that have fallen.

An image counts as fooled if any step fools the network, the start included, as in AutoAttack: each
of them is an image that the attacker could have sent. (foolbox looks at the last one alone, so that
more steps can seem weaker than fewer.) What is random is drawn for all images, so that those that
leave change nothing for those that stay.

The steps themselves, their start, direction and projection, are foolbox's.
"""

from collections.abc import Callable
from functools import partial

import eagerpy as ep
import foolbox
import torch
from torch import Generator, Tensor, nn

from robustinfo.attacks._folded import folded
from robustinfo.attacks._foolbox import frozen, judged, seeded
from robustinfo.settings import Settings

# (network, x, y) -> logits (n, K), and what is climbed, a scalar.
Climbed = Callable[[nn.Module, Tensor, Tensor], tuple[Tensor, Tensor]]
BOX = (0, 1)


@torch.no_grad()
def search(
    attack: foolbox.Attack,
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    climbed: Climbed,
    config: Settings,
    generator: Generator,
    leave: bool = False,
    precision: torch.dtype = torch.float32,
) -> tuple[Tensor, Tensor]:
    """``perturb``: x_adv is the last image that fooled; restarts go on with those that stand.

    config: with norm, epsilon, step_size, steps and restarts.
    leave: whether an image leaves once it fools; x_adv is then the first that did.
    precision: of the search, bfloat16 or float32. What it finds is judged in float32, and by the
    model itself: the search runs on a folded copy.
    """
    x_adv, success = x.clone(), torch.zeros_like(y, dtype=torch.bool)
    with frozen(model):
        look = partial(_look, folded(model, x), climbed, precision)
        correct = model(x).argmax(1) == y
        for _ in range(config.restarts):
            with seeded(x, generator):
                start = _start(attack, x, config.epsilon)
            left = (correct & ~success).nonzero().squeeze(1)
            if not len(left):
                continue  # to the next start, which is drawn all the same
            found, fooled = _run(attack, look, x[left], y[left], start[left], config, leave=leave)
            hit = left[fooled]
            if len(hit):
                x_adv[hit], success[hit] = judged(
                    model, x[hit], y[hit], found[fooled], norm=config.norm, epsilon=config.epsilon
                )
    return x_adv, success


def _start(attack: foolbox.Attack, x: Tensor, epsilon: float) -> Tensor:
    if not attack.random_start:
        return x
    return attack.get_random_start(ep.astensor(x), epsilon).clip(*BOX).raw


def _run(
    attack: foolbox.Attack,
    look: Callable[..., tuple[Tensor, Tensor | None]],
    x: Tensor,
    y: Tensor,
    at: Tensor,
    config: Settings,
    *,
    leave: bool,
) -> tuple[Tensor, Tensor]:
    """Where each image fooled, if it did, and whether: like x, and (n,) bool."""
    found, fooled = at.clone(), torch.zeros_like(y, dtype=torch.bool)
    rows = torch.arange(len(y), device=y.device)
    for step in range(config.steps + 1):
        ahead = step < config.steps
        wrong, gradient = look(at, y, ahead=ahead)
        found[rows[wrong]], fooled[rows[wrong]] = at[wrong], True
        if leave and wrong.any():
            stay = ~wrong
            rows, x, y, at = rows[stay], x[stay], y[stay], at[stay]
            gradient = gradient[stay] if ahead else None
        if not ahead or not len(rows):
            break
        at = _step(attack, x, at, gradient, config)
    return found, fooled


def _look(
    network: nn.Module,
    climbed: Climbed,
    precision: torch.dtype,
    x: Tensor,
    y: Tensor,
    *,
    ahead: bool,
) -> tuple[Tensor, Tensor | None]:
    """(n,) bool, whether x fools; if there is a step ahead, the gradient of what is climbed."""
    if not ahead:
        return network(x).argmax(1) != y, None
    mixed, at = precision != torch.float32, x.clone()
    with torch.enable_grad(), torch.autocast(x.device.type, precision, enabled=mixed):
        logits, total = climbed(network, at.requires_grad_(), y)
    wrong = logits.argmax(1) != y
    if mixed and wrong.any():
        wrong[wrong.clone()] = network(x[wrong]).argmax(1) != y[wrong]
    return wrong, torch.autograd.grad(total, at)[0]


def _step(
    attack: foolbox.Attack, x: Tensor, at: Tensor, gradient: Tensor, config: Settings
) -> Tensor:
    x, at, gradient = ep.astensors(x, at, gradient)
    at = at + config.step_size * attack.normalize(gradient, x=at, bounds=BOX)
    return attack.project(at, x, config.epsilon).clip(*BOX).raw
