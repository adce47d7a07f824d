"""The file of one prepared split: written atomically, and checked by its sha256 when read.

``<split>.safetensors`` holds ``images`` uint8 (n, c, h, w) and ``labels`` int64 (n,). Its metadata
are strings: ``classes`` (a JSON list), ``source`` (where the bytes come from), ``sha256`` (of the
image bytes, then the label bytes), ``settings`` (JSON: the method, and its numbers that are not the
default). Of a set of texts, ``words`` int32 (n, length) stand for the images, and ``vocabulary`` (a
JSON list, the word of every number) joins the metadata and ends what the sha256 is of.
"""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import ConfigDict, Field, Json, ValidationError, field_validator
from safetensors import SafetensorError, safe_open
from torch import Tensor

from robustinfo.core.errors import UserError
from robustinfo.core.files import atomic_write
from robustinfo.core.sealed import serialized
from robustinfo.core.settings import Settings

# What a file holds beside its labels: its name, type and dimensions.
FORMS = {"images": (torch.uint8, 4), "words": (torch.int32, 2)}


class _Metadata(Settings):
    """The metadata of a file, mostly JSON; of another program's file they may be anything."""

    model_config = ConfigDict(extra="ignore")

    classes: Json[list[str]]
    source: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    settings: Json[dict[str, Any]] = Field(default_factory=dict)
    vocabulary: Json[list[str]] = Field(default_factory=list)

    @field_validator("classes")
    @classmethod
    def names_differ(cls, names: list[str]) -> list[str]:
        """They are told apart by name."""
        if len({*names}) < len(names):
            raise ValueError("a class is named twice")
        return names


class DataError(UserError):
    """A data set is missing, damaged or another one; the text names the file and the next step."""


def digest(inputs: np.ndarray, labels: np.ndarray, vocabulary: str = "") -> str:
    """Sha256 in hexadecimal of all inputs, then labels, then vocabulary. Both arrays contiguous."""
    sha256 = hashlib.sha256(inputs.reshape(-1).data)
    sha256.update(labels.reshape(-1).data)
    sha256.update(vocabulary.encode())
    return sha256.hexdigest()


def write(
    file: Path,
    inputs: np.ndarray,
    labels: np.ndarray,
    *,
    classes: list[str],
    source: str,
    settings: dict,
    vocabulary: list[str] | None = None,
) -> None:
    """Write one split. ``file`` stays as it was if anything fails. The caller holds the lock.

    inputs: images, or with a vocabulary the words of texts. Raises DiskError if the disk refuses.
    """
    # A view of another order would be written in the wrong order.
    inputs, labels = np.ascontiguousarray(inputs), np.ascontiguousarray(labels)
    words = {} if vocabulary is None else {"vocabulary": json.dumps(vocabulary)}
    metadata = {
        "classes": json.dumps(classes),
        "source": source,
        "sha256": digest(inputs, labels, *words.values()),
        "settings": json.dumps(settings, sort_keys=True),
    }
    tensors = {"words" if words else "images": torch.tensor(inputs), "labels": torch.tensor(labels)}
    with atomic_write(file) as partial, partial.open("wb") as opened:
        opened.writelines(serialized(tensors, metadata | words))


def read(file: Path) -> tuple[Tensor, Tensor, dict[str, str]]:
    """Images or words, labels int64 (n,) and metadata of a file, every byte checked.

    Images are uint8 (n, c, h, w); words are int32 (n, length), places in the ``vocabulary``.
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
    kind = _check_form(file, tensors, metadata)
    inputs, labels = tensors[kind], tensors["labels"]
    sha256 = digest(inputs.numpy(), labels.numpy(), metadata.get("vocabulary", ""))
    if sha256 != metadata["sha256"]:
        raise DataError(
            f"{file} was altered: its bytes have sha256 {sha256}, its header promises "
            f"{metadata['sha256']}; delete it and run again"
        )
    return inputs, labels, metadata


def _check_form(file: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> str:
    """The kind of the file's inputs: ``images`` or ``words``.

    Raises DataError unless names, types, shapes, labels and words are those this module writes.
    """
    forms = {key: (value.dtype, value.ndim) for key, value in tensors.items()}
    kind = "words" if "words" in forms else "images"
    if forms != {kind: FORMS[kind], "labels": (torch.int64, 1)}:
        raise DataError(
            f"{file} holds {forms}, not images uint8 (n, c, h, w) or words int32 (n, length), "
            "and labels int64 (n,); delete it and run again"
        )
    needed = {"classes", "source", "sha256"} | ({"vocabulary"} if kind == "words" else set())
    absent = needed - metadata.keys()
    if absent:
        raise DataError(f"{file} lacks the metadata {sorted(absent)}; delete it and run again")
    try:
        names = _Metadata.model_validate(metadata)
    except ValidationError as error:
        first = error.errors()[0]
        raise DataError(
            f"{file} has wrong metadata ({first['loc'][0]}: {first['msg']}); delete it and run "
            "again"
        ) from None
    inputs, labels = tensors[kind], tensors["labels"]
    if not len(inputs) or len(inputs) != len(labels):
        raise DataError(f"{file} has {len(inputs)} {kind} and {len(labels)} labels; delete it")
    _check_range(file, "labels", labels, "classes", len(names.classes))
    if kind == "words":
        _check_range(file, "words", inputs, "vocabulary", len(names.vocabulary))
    return kind


def _check_range(file: Path, what: str, values: Tensor, names: str, count: int) -> None:
    """Raise DataError unless every value is a place in a list of so many names."""
    if values.min() < 0 or values.max() >= count:
        raise DataError(
            f"{file} has {what} {int(values.min())}..{int(values.max())} for {count} {names}; "
            "delete it and run again"
        )
