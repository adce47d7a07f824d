"""The term of a checkpoint's defence, for adaptive attacks."""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from robustinfo.core import registry
from robustinfo.core.checkpoint import Checkpoint


def attack_term(
    checkpoint: Checkpoint, model: nn.Module
) -> Callable[..., tuple[Tensor, Tensor]] | None:
    """The defence's ``attack_term``, (x, y) -> (logits, term); None where the defence has none.

    model: the checkpoint's network, on any device.
    """
    term = registry.hook("defences", checkpoint.defence, "attack_term")
    if term is None:
        return None
    device = next(model.parameters()).device
    state = {name: tensor.to(device) for name, tensor in checkpoint.state.items()}
    config = registry.config("defences", checkpoint.defence)
    return partial(term, model, config=config, state=state)
