"""MNIST: handwritten digits, grey, 28 x 28.

LeCun, Cortes and Burges (1998), from the NIST special databases 1 and 3; CC BY-SA 3.0.
60,000 training and 10,000 test images of 10 classes, uint8 (n, 1, 28, 28).
"""

from pathlib import Path

from robustinfo.core.settings import Settings
from robustinfo.datasets._prepared import RawImages, is_train
from robustinfo.datasets._torchvision import fetch


class Config(Settings):
    pass


def image_shape(config: Config) -> tuple[int, int, int]:
    """(c, h, w) of every image."""
    return (1, 28, 28)


def load(split: str, *, config: Config, root: Path) -> RawImages:
    """The split as it was published. Raises DataError if it cannot be had."""
    found = fetch("MNIST", root, train=is_train(split))
    images = found.data.numpy()[:, None]  # (n, h, w) -> (n, 1, h, w)
    return RawImages(
        images,
        found.targets.numpy(),
        [str(digit) for digit in range(10)],
        "torchvision.datasets.MNIST, yann.lecun.com/exdb/mnist",
    )
