"""What a checkpoint of ours knows of its defence, and an attacker who knows it climbs."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

from torch import Tensor, nn

from robustinfo.core import registry
from robustinfo.core.errors import Fault
from robustinfo.core.sealed import DEFENCE, STATE, unseal


def attack_term(file: Path, model: nn.Module) -> Callable[..., tuple[Tensor, Tensor]] | None:
    """What the defence adds to its loss, for an attacker who knows it; None if that is nothing.

    file: a checkpoint. model: its network, on any device. Raises AlteredFileError, and Fault of a
    snapshot, which does not say how its network was defended.
    """
    tensors, described = unseal(file)
    if DEFENCE not in described:
        raise Fault(
            f"{file}: a snapshot, which does not say how its network is defended, so that no "
            "adaptive attack can be made; judge the model.safetensors of its run"
        )
    entry = json.loads(described[DEFENCE])
    module = registry.module("defences", entry)
    if not hasattr(module, "attack_term"):
        return None
    device = next(model.parameters()).device
    state = {
        name.removeprefix(STATE): tensor.to(device)
        for name, tensor in tensors.items()
        if name.startswith(STATE)
    }
    config = registry.config("defences", entry)
    return partial(module.attack_term, model, config=config, state=state)
