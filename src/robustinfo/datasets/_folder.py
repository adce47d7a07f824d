"""A folder of images, class by class, as torchvision's ImageFolder reads them.

``FOLDER/CLASS/*.png``, or one such folder per split: ``FOLDER/{train,val,test}/CLASS/*.png``. Where
all images are grey, they have one channel, otherwise three; transparency is left out. The order is
a draw that never changes, by the files' names: in theirs, one class follows the other.
"""

import json
from hashlib import sha256
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from robustinfo.batches import EVALUATION_BATCH
from robustinfo.datasets._storage import DataError

SPLITS = {"train", "training", "val", "valid", "validation", "test"}
GREY, COLOUR = ("1", "L"), ("RGB", "RGBA", "LA", "P", "PA", "CMYK", "YCbCr", "HSV", "RGBX")


def read(
    folder: Path, split: str, *, size: int | None, limit: int | None, names: Path | None
) -> tuple[Tensor, Tensor, list[str]]:
    """Images uint8 (n, c, h, w), labels int64 (n,), classes. Raises DataError.

    size: as ``resized`` has it; without one, all images must be of one size. limit: how many.
    names: a file that says the order of the classes; without one, they are sorted.
    """
    from torchvision.datasets import ImageFolder  # slow

    root = _root(folder, split)
    try:
        found = ImageFolder(root)
    except OSError as error:
        raise DataError(f"{root} has no images class by class: {error}") from error
    classes = found.classes if names is None else _named(names)
    if strange := sorted({*found.classes} - {*classes}):
        raise DataError(
            f"{root} has {len(strange)} folders that {names} does not name: "
            f"{', '.join(strange[:5])}; add them in the order of the network's logits"
        )
    samples = sorted(found.samples, key=lambda one: _draw(Path(one[0]).relative_to(root)))[:limit]
    images = _stacked([(file, _opened(file, size)) for file, _ in samples])
    labels = torch.tensor([classes.index(found.classes[label]) for _, label in samples])
    return images, labels, [*classes]


def resized(images: Tensor, size: int | None) -> Tensor:
    """uint8 (n, c, h, w): the shorter side becomes ``size``, the middle is cut out; None: as is."""
    if size is None or images.shape[2:] == (size, size):
        return images
    transform = _transform(size)
    return torch.cat([transform(part) for part in images.split(EVALUATION_BATCH)])


def _transform(size: int | None) -> torch.nn.Module:
    from torchvision.transforms import v2  # slow

    if size is None:
        return v2.Identity()
    return v2.Compose([v2.Resize(size), v2.CenterCrop(size)])


def _root(folder: Path, split: str) -> Path:
    """The folder of the split, if there is one for each."""
    inside = {child.name for child in folder.iterdir() if child.is_dir()}
    if not inside <= SPLITS | {split}:
        return folder
    if split not in inside:
        raise DataError(
            f"{folder} has {', '.join(sorted(inside)) or 'no folders'}, and no {split!r}; choose "
            "a split that is there, or a folder with one folder of images per class"
        )
    return folder / split


def _draw(file: Path) -> bytes:
    return sha256(file.as_posix().encode()).digest()


def _opened(file: str, size: int | None) -> Tensor:
    """One image, uint8 (c, h, w)."""
    from torchvision.transforms.v2.functional import pil_to_tensor

    try:
        with Image.open(file) as image:
            if image.mode not in GREY + COLOUR:
                raise DataError(f"{file} has {image.mode} pixels, not 8 bits; convert it first")
            image = image.convert("L" if image.mode in GREY else "RGB")
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{file} is no readable image ({error}); remove or replace it") from error
    return pil_to_tensor(_transform(size)(image))


def _stacked(images: list[tuple[str, Tensor]]) -> Tensor:
    channels = max(image.shape[0] for _, image in images)
    first, like = images[0]
    for file, image in images:
        if image.shape[1:] != like.shape[1:]:
            h, w = image.shape[1:]
            raise DataError(
                f"{file} has {h} x {w} pixels, {first} {like.shape[1]} x {like.shape[2]}; give one "
                "size for all, such as --size 224"
            )
    return torch.stack([image.expand(channels, -1, -1) for _, image in images])


def _named(names: Path) -> list[str]:
    """The classes in the order of their places."""
    try:
        text = names.read_text("utf-8")
        content = json.loads(text) if names.suffix == ".json" else text.split("\n")
    except (OSError, ValueError) as error:
        raise DataError(f"{names} does not name classes: {error}") from error
    if isinstance(content, dict):
        if sorted(map(str, content.values())) != sorted(map(str, range(len(content)))):
            raise DataError(
                f"{names} gives {len(content)} classes other places than 0 to {len(content) - 1}, "
                "each once; name all classes of the network, also those without images"
            )
        content = sorted(content, key=lambda name: int(content[name]))
    if not isinstance(content, list) or not all(isinstance(one, str) for one in content):
        raise DataError(f"{names} is no list of names and no mapping of names to places")
    classes = [one.strip() for one in content if one.strip()]
    if len({*classes}) != len(classes):
        raise DataError(f"{names} names a class twice; the places would be unclear")
    return classes
