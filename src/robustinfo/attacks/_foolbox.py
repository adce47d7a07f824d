"""Run an attack of foolbox without its side effects.

foolbox counts images that were misclassified when clean as successes, computes all weight gradients
on the way, and draws from torch's global generator. None of that leaves this file; what counts as a
success is in _success.py.
"""

import foolbox
from torch import Generator, Tensor, nn

from robustinfo.attacks._frozen import frozen, seeded


def run(
    attack: foolbox.Attack,
    model: nn.Module,
    x: Tensor,
    y: Tensor | foolbox.Criterion,
    *,
    epsilon: float | None,
    generator: Generator,
    **settings: Tensor,
) -> tuple[Tensor, Tensor]:
    """The attack's images, and the same clipped to the epsilon ball. Both like x.

    settings: further arguments of the attack's call. foolbox's random numbers come from
    ``generator``; torch's global state is restored. Where Carlini and Wagner's attack fails, its
    image is black.
    """
    with frozen(model), seeded(x, generator):
        target = foolbox.PyTorchModel(model, bounds=(0, 1), device=x.device)
        raw, cut, _ = attack(target, x, y, epsilons=epsilon, **settings)
    return raw.detach(), cut.detach().clamp(0, 1)
