"""How the attacks that are foolbox's own are run.

foolbox counts images that were wrong from the start as successes, computes all weight gradients
on the way, draws from torch's global generator, and returns black images where Carlini and
Wagner's attack failed. None of that leaves this file; what counts as a success is in _success.py.
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
    """One run: the attack's own images, and the same cut to the epsilon ball. Both like x.

    settings: what else the attack takes for a run. foolbox's random numbers come from
    ``generator``; torch's global state is left as it was.
    """
    with frozen(model), seeded(x, generator):
        target = foolbox.PyTorchModel(model, bounds=(0, 1), device=x.device)
        raw, cut, _ = attack(target, x, y, epsilons=epsilon, **settings)
    return raw.detach(), cut.detach().clamp(0, 1)
