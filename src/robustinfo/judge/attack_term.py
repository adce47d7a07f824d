"""What a checkpoint knows of its defence, and an attacker who knows it climbs."""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from robustinfo.core import registry
from robustinfo.core.checkpoint import Checkpoint


def attack_term(
    checkpoint: Checkpoint, model: nn.Module
) -> Callable[..., tuple[Tensor, Tensor]] | None:
    """What the defence adds to its loss, for an attacker who knows it; None if that is nothing.

    model: the checkpoint's network, on any device.
    """
    term = registry.hook("defences", checkpoint.defence, "attack_term")
    if term is None:
        return None
    device = next(model.parameters()).device
    state = {name: tensor.to(device) for name, tensor in checkpoint.state.items()}
    config = registry.config("defences", checkpoint.defence)
    return partial(term, model, config=config, state=state)
