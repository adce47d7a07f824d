"""Sealed tensor files: safetensors with a sha256 of their content, so that alterations show.

``torch.load`` and safetensors load most flipped bits silently; checkpoints and adversarial
examples are therefore written and read here only.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from robustinfo.core.files import AlteredFileError, atomic_write

_ABOUT, _SHA256 = "about", "sha256"
# What safetensors calls the types of numbers, in the order in which it writes them.
_TYPES = {
    torch.int64: "I64", torch.float64: "F64", torch.float32: "F32", torch.int32: "I32",
    torch.bfloat16: "BF16", torch.float16: "F16", torch.int16: "I16", torch.int8: "I8",
    torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip


def seal(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors with metadata and a sha256 of both. The file appears whole or not at all."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    # One entry only: safetensors writes several in a random order, and bytes are to be compared.
    about = json.dumps({**metadata, _SHA256: _digest(tensors, metadata)}, sort_keys=True)
    with atomic_write(path) as partial, partial.open("wb") as file:
        for part in serialized(tensors, {_ABOUT: about}):
            file.write(part)


def is_sealed(path: Path) -> bool:
    """Whether a readable file has a seal; only ``unseal`` checks that it is unaltered."""
    with safe_open(path, framework="pt") as file:
        return _ABOUT in (file.metadata() or {})


def is_empty(path: Path) -> bool:
    """Whether a file holds no tensor. Raises AlteredFileError if it cannot be read."""
    try:
        with safe_open(path, framework="pt") as file:
            return not file.keys()
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, error) from None


def stated_sha256(path: Path) -> str:
    """The sha256 in a sealed file's header; the content is not read (``unseal`` checks it)."""
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()[_ABOUT])[_SHA256]


def unseal(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata. Raises AlteredFileError, naming the file, unless the sha256 holds."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = json.loads((file.metadata() or {}).get(_ABOUT, "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except (OSError, ValueError, RecursionError, SafetensorError) as error:
        raise _unreadable(path, error) from None
    if not isinstance(metadata, dict) or metadata.pop(_SHA256, None) != _digest(tensors, metadata):
        raise AlteredFileError(
            f"{path} is not as it was written: its sha256 does not match; delete it and run again"
        )
    return tensors, metadata


def _unreadable(path: Path, error: Exception) -> AlteredFileError:
    return AlteredFileError(f"{path} cannot be read ({error}); delete it and run again")


def serialized(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> Iterator[memoryview]:
    """The bytes that ``safetensors.torch.save`` returns, one tensor after the other.

    That one copies all of them, and ``save_file`` leaves a file of a random name if it is killed.
    """
    header: dict[str, object] = {"__metadata__": metadata}
    places = {dtype: place for place, dtype in enumerate(_TYPES)}
    ordered = sorted(tensors.items(), key=lambda one: (places[one[1].dtype], one[0]))
    end = 0
    for name, tensor in ordered:
        start, end = end, end + tensor.nbytes
        header[name] = {
            "dtype": _TYPES[tensor.dtype],
            "shape": [*tensor.shape],
            "data_offsets": [start, end],
        }
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    yield memoryview(len(text).to_bytes(8, "little") + text)
    for _, tensor in ordered:
        yield _bytes(tensor)


def _bytes(tensor: Tensor) -> memoryview:
    return tensor.flatten().view(torch.uint8).numpy().data


def _digest(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    sha = hashlib.sha256(json.dumps(sorted(metadata.items())).encode())
    for name, tensor in sorted(tensors.items()):
        sha.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        sha.update(_bytes(tensor))
    return sha.hexdigest()
