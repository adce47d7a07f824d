"""Tensor files that notice when they were altered: safetensors with a sha256 of their content.

``torch.load`` and safetensors load most flipped bits silently; checkpoints and adversarial
examples are therefore written and read here only.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from robustinfo.faults import Fault
from robustinfo.files import whole

_SEAL = "sha256"


class AlteredFileError(Fault):
    """A tensor file that is missing, truncated, or not as it was written."""


def seal(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors with metadata and a sha256 of both. The file appears whole or not at all."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    content = save(tensors, {**metadata, _SEAL: _digest(tensors, metadata)})
    with whole(path) as partial:
        partial.write_bytes(content)


def unseal(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata. Raises AlteredFileError, naming the file, unless the sha256 holds."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except (OSError, SafetensorError) as error:
        raise AlteredFileError(
            f"{path} cannot be read ({error}); delete it and run again"
        ) from None
    if metadata.pop(_SEAL, None) != _digest(tensors, metadata):
        raise AlteredFileError(
            f"{path} is not as it was written: its sha256 does not match; delete it and run again"
        )
    return tensors, metadata


def _digest(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    sha = hashlib.sha256(json.dumps(sorted(metadata.items())).encode())
    for name, tensor in sorted(tensors.items()):
        sha.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        sha.update(tensor.flatten().view(torch.uint8).numpy())
    return sha.hexdigest()
