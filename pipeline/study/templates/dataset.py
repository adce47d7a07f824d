"""TEMPLATE: bright bars, upright or level, in noise.

Write here what yours holds: who published it, where, under which licence, how many images there are
and of which classes, and its splits.
"""

from pathlib import Path

import numpy as np

from robustinfo.core.settings import Settings
from robustinfo.datasets._prepared import RawImages, is_train

SIDE, CLASSES = 28, ["upright", "level"]


class Config(Settings):
    pass


def image_shape(config: Config) -> tuple[int, int, int]:
    """(c, h, w) of every image."""
    return (1, SIDE, SIDE)


def load(split: str, *, config: Config, root: Path) -> RawImages:
    """The split. ``root`` is not used: the images are made here, the same on every machine."""
    random = np.random.default_rng(0 if is_train(split) else 1)
    labels = np.arange(500) % len(CLASSES)
    images = random.integers(0, 128, (len(labels), 1, SIDE, SIDE), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        bar = slice(place := int(random.integers(SIDE - 4)), place + 4)
        image[(0, slice(None), bar) if label == 0 else (0, bar)] += 128
    return RawImages(images, labels.astype(np.int64), CLASSES, "robustinfo.datasets")
