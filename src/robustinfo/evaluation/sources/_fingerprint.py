"""The sha256 that says which network was judged."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy


def network_sha256(network: nn.Module, files: Iterable[Path] = ()) -> str:
    """Of the sorted parameters and buffers: names, dtypes, shapes and bytes; and of source files.

    Empty where there is neither.
    """
    tensors = dict([*network.named_parameters(), *network.named_buffers()])
    files = [*files]
    if not tensors and not files:
        return ""
    sha = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        sha.update(f"{name} {tensor.dtype} ".encode())
        if not is_lazy(tensor) and not tensor.is_meta:  # which have no bytes
            sha.update(f"{tuple(tensor.shape)}".encode())
            sha.update(_bytes(tensor))
    for file in files:
        sha.update(file_sha256(file).encode())
    return sha.hexdigest()


def file_sha256(file: Path) -> str:
    """Of the bytes of a file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _bytes(tensor: Tensor) -> memoryview:
    values = tensor.detach().cpu()
    values = values if values.layout == torch.strided else values.to_dense()
    return values.contiguous().view(-1).view(torch.uint8).numpy().data
