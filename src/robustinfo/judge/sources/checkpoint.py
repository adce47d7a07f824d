"""``FILE.safetensors``: a network that the pipeline trained, ``model.safetensors``.

The file holds weights, and what its defence needs; which architecture they are of stands in the
study. Its sha256 is checked.
"""

from pathlib import Path

from safetensors import SafetensorError
from torch import nn

from robustinfo.core import registry
from robustinfo.core.entries import entry
from robustinfo.core.errors import Fault
from robustinfo.core.sealed import WEIGHTS, is_sealed, unseal
from robustinfo.judge.sources._asked import Asked


def load(text: str, asked: Asked) -> nn.Module:
    """The checkpoint's network. Raises Fault if the file or its architecture is another one."""
    weights = _weights(Path(text))
    if asked.architecture is None:
        raise Fault(
            f"{text} holds weights without their architecture; add it as the study has it, as "
            f"--architecture '{{method: lenet5}}'; models/ has "
            f"{', '.join(registry.names('models'))}"
        )
    architecture = entry("models", asked.architecture)
    network = registry.get("models", architecture)(asked.shape, asked.classes)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        problem = " ".join(str(error).split())
        raise Fault(
            f"{text} holds no {architecture} for images of {' x '.join(map(str, asked.shape))} and "
            f"{asked.classes} classes: {problem[:300]}; write the entry and the data of its study"
        ) from error
    return network


def _weights(file: Path) -> dict:
    if not file.is_file():
        raise Fault(f"{file}: no such file; the pipeline writes results/.../model.safetensors")
    try:
        ours = is_sealed(file)
    except (OSError, SafetensorError):
        ours = True  # unreadable: unsealing says why
    if not ours:
        raise Fault(
            f"{file} was not written by robustinfo; write a function that builds the network and "
            "loads it, and name it: package.module:function"
        )
    tensors, _ = unseal(file)
    weights = {
        name.removeprefix(WEIGHTS): tensor
        for name, tensor in tensors.items()
        if name.startswith(WEIGHTS)
    }
    if not weights:
        raise Fault(f"{file} holds {', '.join(tensors)}, and no network; name a model.safetensors")
    return weights
