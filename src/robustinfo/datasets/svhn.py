"""SVHN: house numbers cut out of street views, colour, 32 x 32 ("cropped digits").

Netzer et al. (2011), "Reading digits in natural images with unsupervised feature learning"; for
non-commercial use only. 73,257 training and 26,032 test images of 10 classes of unequal size,
uint8 (n, 3, 32, 32). The label of the digit 0 is 0 here, 10 in the published files. The 531,131
"extra" images are not used.
"""

from pathlib import Path

from robustinfo.core.settings import Settings
from robustinfo.datasets._prepared import RawImages
from robustinfo.datasets._torchvision import fetch


class Config(Settings):
    pass


def image_shape(config: Config) -> tuple[int, int, int]:
    """(c, h, w) of every image."""
    return (3, 32, 32)


def load(split: str, *, config: Config, root: Path) -> RawImages:
    """The split as it was published. Raises DataError if it cannot be had."""
    found = fetch("SVHN", root, split=split)
    return RawImages(
        found.data,
        found.labels,
        [str(digit) for digit in range(10)],
        "torchvision.datasets.SVHN, ufldl.stanford.edu/housenumbers",
    )
