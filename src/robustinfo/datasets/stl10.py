"""STL-10: photographs of animals and vehicles, colour, 96 x 96.

Coates, Ng and Lee (2011), AISTATS; taken from ImageNet, no licence is stated. 5,000 training and
8,000 test images of 10 balanced classes, uint8 (n, 3, 96, 96). The 100,000 unlabelled images of
the same archive are not used.
"""

from pathlib import Path

import numpy as np

from robustinfo.core.settings import Settings
from robustinfo.datasets._prepared import RawImages
from robustinfo.datasets._torchvision import fetch

CLASSES = "airplane bird car cat deer dog horse monkey ship truck".split()


class Config(Settings):
    pass


def image_shape(config: Config) -> tuple[int, int, int]:
    """(c, h, w) of every image."""
    return (3, 96, 96)


def load(split: str, *, config: Config, root: Path) -> RawImages:
    """The split as it was published. Raises DataError if it cannot be had."""
    found = fetch("STL10", root, split=split)
    return RawImages(
        found.data,
        found.labels.astype(np.int64),
        CLASSES,
        "torchvision.datasets.STL10, cs.stanford.edu/~acoates/stl10",
    )
