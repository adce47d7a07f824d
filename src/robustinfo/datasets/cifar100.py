"""CIFAR-100: small photographs with the 100 fine labels, colour, 32 x 32.

Krizhevsky (2009), "Learning multiple layers of features from tiny images"; no licence is stated.
50,000 training and 10,000 test images of 100 balanced classes, uint8 (n, 3, 32, 32).
"""

from pathlib import Path

import numpy as np

from robustinfo.core.settings import Settings
from robustinfo.datasets._prepared import RawImages, is_train
from robustinfo.datasets._torchvision import fetch


class Config(Settings):
    pass


def image_shape(config: Config) -> tuple[int, int, int]:
    """(c, h, w) of every image."""
    return (3, 32, 32)


def load(split: str, *, config: Config, root: Path) -> RawImages:
    """The split as it was published. Raises DataError if it cannot be had."""
    found = fetch("CIFAR100", root, train=is_train(split))
    images = found.data.transpose(0, 3, 1, 2)  # (n, h, w, c) -> (n, c, h, w)
    return RawImages(
        images,
        np.array(found.targets, dtype=np.int64),
        list(found.classes),
        "torchvision.datasets.CIFAR100, www.cs.toronto.edu/~kriz/cifar.html",
    )
