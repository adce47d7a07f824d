"""The images that a network is judged on: a data set of ours, prepared if need be, or a folder.

    mnist                        a method of datasets/, under ROBUSTINFO_DATA or ``data``
    {method: digits, size: 28}   the same with its numbers
    FOLDER                       class by class, laid out as for torchvision's ImageFolder

A folder of that name comes first. It holds one folder of images per class, or such a folder per
split (train, test, val ..., in any case). Labels are the indices of the folders sorted by name, or
by number where they are numbered, unless ``class_file`` gives the order of the classes, as of
ImageNet's. Of a folder, ``limit`` images are taken in a fixed random order, since by name they
would be of one class; of a data set, the first ones, as everywhere here. A summary of what was read
and left out is returned with them; an ambiguous layout is an error.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from robustinfo.core import registry
from robustinfo.core.batches import ImageSource
from robustinfo.core.entries import entry
from robustinfo.core.errors import UserError
from robustinfo.datasets import _folder, _image
from robustinfo.datasets._prepared import SPLITS, data_root, open_split, prepare
from robustinfo.datasets._summary import DataSummary


class LabelledImages(NamedTuple):
    """images: slices are uint8 (n, c, h, w).  labels: int64 (n,), indices of ``classes``."""

    images: ImageSource
    labels: Tensor
    classes: list[str]
    summary: DataSummary  # what was found and left out, for people and JSON


def images(
    text: str | Mapping,
    *,
    split: str = "test",
    size: int | None = None,
    limit: int | None = None,
    class_file: Path | None = None,
) -> LabelledImages:
    """The images of a folder or a data set that ``text`` names.

    size: of the images, in pixels: the shorter side becomes so long, and the middle is cropped;
    None: as they are. limit: the most images; None: all. class_file: of a folder, a text file with
    a line per class, or JSON, a list of the classes or a mapping of each to its index. Raises
    UserError.
    """
    if limit is not None and limit < 1:
        raise UserError(f"{limit} images judge nothing; write a positive number, or none for all")
    if size is not None and size < 1:
        raise UserError(f"images of {size} pixels are none; write a positive size, or none")
    if isinstance(text, str) and os.path.isdir(text):
        return LabelledImages(
            *_folder.read(Path(text), split, size=size, limit=limit, class_file=class_file)
        )
    if class_file is not None:
        raise UserError(
            f"{class_file} names the classes of a folder, and {text} is none; leave it out"
        )
    return _prepared(text, split, size, limit)


def _prepared(
    text: str | Mapping, split: str, size: int | None, limit: int | None
) -> LabelledImages:
    try:
        chosen = entry("datasets", text)
    except UserError as error:
        raise UserError(f"no folder and no data set of that name: {error}") from None
    if registry.reads("datasets", chosen) != "images":
        raise UserError(f"{chosen['method']} is a set of texts, and networks here read images")
    if split not in SPLITS:
        raise UserError(
            f"{chosen['method']} has no split {split!r}; choose from {', '.join(SPLITS)}"
        )
    name, root = _name(chosen), data_root()
    try:
        prepare(name, chosen, root)
    except OSError as error:
        raise UserError(
            f"{text}: cannot prepare {root / name} ({error}); set ROBUSTINFO_DATA to a folder that "
            "may be written to"
        ) from error
    pixels, labels, classes, _ = open_split(name, split, chosen, root)
    counts = labels.bincount(minlength=len(classes)).tolist()
    summary = DataSummary(
        root=name,
        split=split,
        classes=dict(zip(classes, counts, strict=True)),
        order="of the data set",
        n=len(labels[:limit]),
        left_out=[],
        notes=[],
    )
    return LabelledImages(_image.resized(pixels[:limit], size), labels[:limit], classes, summary)


def _name(chosen: Mapping) -> str:
    """``digits``, as the studies call it too, or with its numbers: ``digits-size-8``."""
    config = registry.config("datasets", chosen)
    numbers = config.model_dump(exclude_defaults=True)
    return "-".join([chosen["method"], *(f"{key}-{value}" for key, value in numbers.items())])
