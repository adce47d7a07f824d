"""The prepared form of a data set: ``<root>/<entry>/{train,test}.safetensors``, made once.

``prepare`` reads the source by the entry's method and writes both files; all other code reads
images and texts by ``open_split``. Files that were put there by hand are read as they are.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from filelock import FileLock
from torch import Tensor

from robustinfo.core import registry
from robustinfo.datasets._storage import DataError, read, write

SPLITS = ("train", "test")


class RawImages(NamedTuple):
    """A split of images, as ``load`` of a data set returns it."""

    images: np.ndarray  # uint8 (n, c, h, w)
    labels: np.ndarray  # int64 (n,)
    classes: list[str]
    source: str  # one line: where the bytes come from


class RawTexts(NamedTuple):
    """A split of texts, as ``load`` of a data set returns it."""

    words: np.ndarray  # int32 (n, length), places in the vocabulary
    labels: np.ndarray  # int64 (n,)
    classes: list[str]
    source: str
    vocabulary: list[str]  # the same for both splits


class Split(NamedTuple):
    """A prepared split, as ``open_split`` returns it."""

    images: Tensor  # uint8 (n, c, h, w); of texts, their words: int32 (n, length)
    labels: Tensor  # int64 (n,)
    classes: list[str]
    vocabulary: list[str]  # the word of every number; none for images


def data_root() -> Path:
    """The folder of all data sets: the environment's ROBUSTINFO_DATA, or ``data``."""
    return Path(os.environ.get("ROBUSTINFO_DATA") or "data")


def is_train(split: str) -> bool:
    """Whether ``split`` is the training one. Raises ValueError if it is neither."""
    if split not in SPLITS:
        raise ValueError(f"no split {split!r}; there are {', '.join(SPLITS)}")
    return split == "train"


def prepare(name: str, entry: Mapping, root: Path) -> dict:
    """Prepare the missing splits of one data set, check both, and describe them.

    Returns {name, method, classes, splits: {train, test: {images, shape, sha256}}, source}, the
    same on every machine; the shape is [c, h, w]. Of texts, ``texts`` stands for ``images``, and
    the shape is [length, words of the vocabulary]. What exists is never rewritten. Raises
    DataError.
    """
    # Nothing is locked when nothing is missing: a shared data folder may be read-only.
    if _missing(name, root):
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f"{name}.lock"):
            for split in _missing(name, root):
                _make(name, split, entry, root)
    splits, kinds, source = {}, set(), ""
    for split in SPLITS:
        inputs, _, metadata = _read_checked(name, split, entry, root)
        vocabulary = metadata.get("vocabulary", "")
        kind, shape = "images", list(inputs.shape[1:])  # c, h, w
        if vocabulary:
            kind, shape = "texts", [*shape, len(json.loads(vocabulary))]
        splits[split] = {kind: len(inputs), "shape": shape, "sha256": metadata["sha256"]}
        # Of a vocabulary, what tells it from another: an error should not print all of it.
        kinds.add((metadata["classes"], *shape, hashlib.sha256(vocabulary.encode()).hexdigest()))
        source = metadata["source"]
    if len(kinds) > 1:
        raise DataError(
            f"{root / name}: train and test differ in classes, shape or vocabulary: {kinds}"
        )
    classes = json.loads(metadata["classes"])
    return {
        "name": name,
        "method": entry["method"],
        "classes": classes,
        "splits": splits,
        "source": source,
    }


def open_split(
    name: str, split: str, entry: Mapping, root: Path, *, sha256: str | None = None
) -> Split:
    """One prepared split, memory-mapped, every byte checked against the sha256 of its header.

    sha256: the manifest's, to be sure of the very bytes that ``prepare`` described. Raises
    DataError if the file is missing, cut, altered, another one, or made with other settings.
    """
    is_train(split)
    inputs, labels, metadata = _read_checked(name, split, entry, root)
    if sha256 is not None and sha256 != metadata["sha256"]:
        raise DataError(
            f"{_file(name, split, root)} has sha256 {metadata['sha256']}, the manifest says "
            f"{sha256}: the file was exchanged; run again: snakemake --cores all"
        )
    vocabulary = json.loads(metadata.get("vocabulary", "[]"))
    return Split(inputs, labels, json.loads(metadata["classes"]), vocabulary)


def _file(name: str, split: str, root: Path) -> Path:
    return root / name / f"{split}.safetensors"


def _missing(name: str, root: Path) -> list[str]:
    return [split for split in SPLITS if not _file(name, split, root).exists()]


def _settings(entry: Mapping) -> dict:
    numbers = registry.config("datasets", entry).model_dump(exclude_defaults=True)
    return {"method": entry["method"]} | numbers


def _make(name: str, split: str, entry: Mapping, root: Path) -> None:
    """Read one split from its source and write it."""
    file = _file(name, split, root)
    try:
        raw = registry.get("datasets", entry)(split, root=root)
    except DataError as error:
        raise DataError(f"{error}; or put the prepared split at {file}") from error
    inputs, labels, *_ = raw
    metadata = {"classes": raw.classes, "source": raw.source, "settings": _settings(entry)}
    write(file, inputs, labels, **metadata, vocabulary=getattr(raw, "vocabulary", None))


def _read_checked(
    name: str, split: str, entry: Mapping, root: Path
) -> tuple[Tensor, Tensor, dict[str, str]]:
    """``read`` of one split, refused if it was made with other settings than the entry's."""
    file = _file(name, split, root)
    inputs, labels, metadata = read(file)
    wanted = json.loads(json.dumps(_settings(entry)))
    # A file from elsewhere says nothing of its making: it counts as the method's default.
    stored = json.loads(metadata.get("settings", "{}")) or {"method": entry["method"]}
    if stored != wanted:
        raise DataError(
            f"{file} was made with other settings: {stored}, the entry asks for {wanted}; "
            f"delete {file.parent} or give the entry another name"
        )
    return inputs, labels, metadata
