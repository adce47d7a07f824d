"""Contexts for attacks: eval mode without weight gradients, and seeded global random numbers."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Generator, Tensor, nn


@contextmanager
def frozen(model: nn.Module) -> Iterator[nn.Module]:
    """The model in eval mode without weight gradients; modes and flags are restored afterwards."""
    # A frozen TorchScript module has no mode.
    modes = {one: one.training for one in model.modules() if hasattr(one, "training")}
    flags = {weight: weight.requires_grad for weight in model.parameters()}
    model.eval()  # may return nothing, where a class has overridden `train`
    for weight in flags:  # one by one: TorchScript refuses ``model.requires_grad_``
        weight.requires_grad_(False)
    try:
        yield model
    finally:
        for module, mode in modes.items():
            module.training = mode
        for weight, flag in flags.items():
            weight.requires_grad_(flag)


@contextmanager
def seeded(x: Tensor, generator: Generator) -> Iterator[None]:
    """Seed torch's global random numbers, on the device of x, from ``generator``.

    Their state is restored afterwards.
    """
    seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
    with torch.random.fork_rng([x.device] if x.is_cuda else []):
        torch.manual_seed(seed)
        yield
