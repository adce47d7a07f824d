"""What all foolbox attacks here share: how they are run, and what counts as a success.

foolbox counts images that were wrong from the start as successes, computes all weight gradients
on the way, draws from torch's global generator, and returns black images where Carlini and
Wagner's attack failed. None of that leaves this file.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import eagerpy as ep
import foolbox
import torch
from torch import Generator, Tensor, nn

from robustinfo.attacks._success import fooled
from robustinfo.maths.balls import feasible


@contextmanager
def frozen(model: nn.Module) -> Iterator[nn.Module]:
    """The model in eval mode without weight gradients; modes and flags come back afterwards."""
    # A frozen TorchScript module has no mode.
    modes = {one: one.training for one in model.modules() if hasattr(one, "training")}
    flags = {weight: weight.requires_grad for weight in model.parameters()}
    model.eval()  # may return nothing, where somebody has overridden `train`
    for weight in flags:  # one by one: TorchScript refuses ``model.requires_grad_``
        weight.requires_grad_(False)
    try:
        yield model
    finally:
        for module, mode in modes.items():
            module.training = mode
        for weight, flag in flags.items():
            weight.requires_grad_(flag)


def climb(attack: foolbox.Attack, objective: Callable[[Tensor, Tensor], Tensor]) -> None:
    """Let the attack maximise ``objective(x, y)``, a scalar, instead of the cross-entropy."""

    def get_loss_fn(model: foolbox.Model, labels: ep.Tensor) -> Callable[[ep.Tensor], ep.Tensor]:
        return lambda x: ep.astensor(objective(x.raw, labels.raw))

    attack.get_loss_fn = get_loss_fn  # foolbox's own way to another loss


def begin(attack: foolbox.Attack, start: Callable[[Tensor], Tensor]) -> None:
    """Let the attack start at ``start(x)``, which foolbox cuts to [0, 1], instead of anywhere."""
    attack.random_start = True
    attack.get_random_start = lambda x, epsilon: ep.astensor(start(x.raw))


@contextmanager
def seeded(x: Tensor, generator: Generator) -> Iterator[None]:
    """Torch's global random numbers, on the device of x, come from ``generator`` for a while.

    Their state then comes back.
    """
    seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
    with torch.random.fork_rng([x.device] if x.is_cuda else []):
        torch.manual_seed(seed)
        yield


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

    Wrong by more than rounding: see _success.py. When clean, an image is what ``argmax`` says.
    found: (n,) the attack's own flag, if it has one. Where there is no success, x comes back.
    """
    with frozen(model):
        success = (model(x).argmax(1) == y) & fooled(model, x_adv, y)
    success &= feasible(x, x_adv, norm, epsilon)
    if found is not None:
        success &= found
    keep = success.view(-1, *[1] * (x.ndim - 1))
    return torch.where(keep, x_adv, x), success
