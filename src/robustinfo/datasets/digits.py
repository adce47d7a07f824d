"""Digits: the handwritten digits that come with scikit-learn, grey, 8 x 8, enlarged.

Alpaydin and Kaynak (1998), UCI "Optical recognition of handwritten digits", its test part;
CC BY 4.0. 1,797 images of 10 nearly balanced classes with values 0..16. They are enlarged
bilinearly to size x size and scaled to 0..255, uint8 (n, 1, size, size). No split is published:
a quarter of every class is the test set, by a draw that never changes. Needs no network.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch.nn.functional import interpolate

from robustinfo.core.settings import Settings
from robustinfo.datasets._prepared import RawImages, is_train

TEST_SHARE, SPLIT_SEED = 0.25, 0


class Config(Settings):
    size: Annotated[int, Field(ge=8, le=512)] = 28  # height and width in pixels; never shrunk


def image_shape(config: Config) -> tuple[int, int, int]:
    """(c, h, w) of every image."""
    return (1, config.size, config.size)


def load(split: str, *, config: Config, root: Path) -> RawImages:
    """The split in scikit-learn's order. ``root`` is not used: the images are in the package."""
    from sklearn.datasets import load_digits  # slow, and only `prepare` reads a source
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    train, test = train_test_split(
        np.arange(len(digits.target)),
        test_size=TEST_SHARE,
        stratify=digits.target,
        random_state=SPLIT_SEED,
    )
    chosen = np.sort(train if is_train(split) else test)
    images = _enlarge(digits.images[chosen], config.size)
    classes = [str(digit) for digit in digits.target_names]
    return RawImages(
        images, digits.target[chosen].astype(np.int64), classes, "sklearn.datasets.load_digits"
    )


def _enlarge(images: np.ndarray, size: int) -> np.ndarray:
    """(n, 8, 8) in 0..16 to uint8 (n, 1, size, size) in 0..255."""
    x = torch.from_numpy(images)[:, None]  # (n, 1, 8, 8)
    x = interpolate(x, size=(size, size), mode="bilinear", align_corners=False)
    # Half of 255 is a frequent value: without the first rounding, the last bit of the machine's
    # arithmetic would decide between 127 and 128, and the sha256 would differ between machines.
    x = (x * 255 / 16).round(decimals=6).round()
    return x.to(torch.uint8).numpy()
