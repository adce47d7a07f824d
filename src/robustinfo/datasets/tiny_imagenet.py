"""Tiny ImageNet: photographs of 200 ImageNet classes, colour, 64 x 64.

Le and Yang (2015), Stanford course CS231n; no licence is stated beyond ImageNet's terms
(non-commercial research). 100,000 training images; the 10,000 validation images are the test
split, since the published test images have no labels. Balanced classes, named by their WordNet
number, uint8 (n, 3, 64, 64); the grey photographs among them get three equal channels. The bytes
come from a JPEG decoder, so another version of it may give another sha256.
"""

from pathlib import Path

import numpy as np

from robustinfo.core.settings import Settings
from robustinfo.datasets._prepared import DataError, RawImages, is_train

ADDRESS = "cs231n.stanford.edu/tiny-imagenet-200.zip"


class Config(Settings):
    pass


def image_shape(config: Config) -> tuple[int, int, int]:
    """(c, h, w) of every image."""
    return (3, 64, 64)


def load(split: str, *, config: Config, root: Path) -> RawImages:
    """The split from the unpacked archive. Raises DataError if it is not there or damaged."""
    from torchvision.datasets import ImageFolder  # slow, and only `prepare` reads a source
    from torchvision.datasets.folder import default_loader

    folder = root / "downloads" / "tiny-imagenet-200"
    try:
        train = ImageFolder(folder / "train")
        samples = train.samples if is_train(split) else _validation(folder, train.class_to_idx)
        images = np.stack([np.asarray(default_loader(file)) for file, _ in samples])
    except (OSError, LookupError, ValueError) as error:
        raise DataError(
            f"tiny_imagenet: {folder} lacks readable images ({error}). Next: unpack {ADDRESS} "
            f"into {folder.parent}, or set ROBUSTINFO_DATA to a folder that has the data"
        ) from error
    labels = np.array([label for _, label in samples], dtype=np.int64)
    images = images.transpose(0, 3, 1, 2)  # (n, h, w, c) -> (n, c, h, w)
    return RawImages(images, labels, train.classes, ADDRESS)


def _validation(folder: Path, class_to_idx: dict[str, int]) -> list[tuple[str, int]]:
    """The files of val/ with their labels, in the order of val_annotations.txt."""
    lines = (folder / "val" / "val_annotations.txt").read_text().splitlines()
    rows = [line.split("\t") for line in lines]  # file, class, box
    return [(str(folder / "val" / "images" / row[0]), class_to_idx[row[1]]) for row in rows]
