"""The file of one prepared split: written whole or not at all, read only if it is what was written.

``<split>.safetensors`` holds ``images`` uint8 (n, c, h, w) and ``labels`` int64 (n,). Its metadata
are texts: ``classes`` (a JSON list), ``source`` (where the bytes come from), ``sha256`` (of the
image bytes, then the label bytes), ``settings`` (JSON: the
method, and its numbers that are not the default).
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from torch import Tensor

from robustinfo.faults import Fault
from robustinfo.files import whole


class DataError(Fault):
    """A data set is missing, damaged or another one; the text names the file and the next step."""


def digest(images: np.ndarray, labels: np.ndarray) -> str:
    """Sha256 in hexadecimal of the image bytes, then the label bytes. Both arrays contiguous."""
    sha256 = hashlib.sha256(images.reshape(-1))
    sha256.update(labels.reshape(-1))
    return sha256.hexdigest()


def write(
    file: Path,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    classes: list[str],
    source: str,
    settings: dict,
) -> None:
    """Write one split. ``file`` stays as it was if anything fails. The caller holds the lock.

    Raises DiskError if the disk refuses.
    """
    # A view of another order would be written in the wrong order.
    images, labels = np.ascontiguousarray(images), np.ascontiguousarray(labels)
    metadata = {
        "classes": json.dumps(classes),
        "source": source,
        "sha256": digest(images, labels),
        "settings": json.dumps(settings, sort_keys=True),
    }
    with whole(file) as partial:
        partial.write_bytes(save({"images": images, "labels": labels}, metadata))


def read(file: Path) -> tuple[Tensor, Tensor, dict[str, str]]:
    """Images uint8 (n, c, h, w), labels int64 (n,) and metadata of a file, every byte checked.

    The tensors are private memory maps of the file: processes of one machine share its pages, and
    a change in memory never reaches the disk. Raises DataError with the file's name.
    """
    if not file.is_file():
        raise DataError(f"{file} does not exist; make it with: snakemake --cores all")
    try:
        with safe_open(file, framework="pt") as handle:
            metadata = handle.metadata() or {}
            tensors = {key: handle.get_tensor(key) for key in handle.keys()}
    except (OSError, SafetensorError) as error:
        raise DataError(f"{file} is unreadable ({error}); delete it and run again") from error
    _check_form(file, tensors, metadata)
    images, labels = tensors["images"], tensors["labels"]
    found = digest(images.numpy(), labels.numpy())
    if found != metadata["sha256"]:
        raise DataError(
            f"{file} was altered: its bytes have sha256 {found}, its header promises "
            f"{metadata['sha256']}; delete it and run again"
        )
    return images, labels, metadata


def _check_form(file: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Raise DataError unless names, types, shapes and labels are those this module writes."""
    forms = {key: (value.dtype, value.ndim) for key, value in tensors.items()}
    if forms != {"images": (torch.uint8, 4), "labels": (torch.int64, 1)}:
        raise DataError(
            f"{file} holds {forms}, not images uint8 (n, c, h, w) and labels int64 (n,); "
            "delete it and run again"
        )
    absent = {"classes", "source", "sha256"} - metadata.keys()
    if absent:
        raise DataError(f"{file} lacks the metadata {sorted(absent)}; delete it and run again")
    images, labels = tensors["images"], tensors["labels"]
    count = len(json.loads(metadata["classes"]))
    if not len(images) or len(images) != len(labels):
        raise DataError(f"{file} has {len(images)} images and {len(labels)} labels; delete it")
    if labels.min() < 0 or labels.max() >= count:
        raise DataError(
            f"{file} has labels {int(labels.min())}..{int(labels.max())} for {count} classes; "
            "delete it and run again"
        )
