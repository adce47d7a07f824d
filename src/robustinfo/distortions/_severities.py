"""The published numbers of common corruptions, by severity: of CIFAR-10-C and two relatives.

Hendrycks and Dietterich (2019), arXiv 1903.12261; the numbers are those of their code. Their frost
needs photographs, and is left out; so are spatter and saturate of the additional set. A corruption
more is a file of distortions/ and its lines here. A set's numbers are in pixels of its images'
size; images of another size take those of the set whose size is the nearest by ratio (45 pixels and
fewer on the shorter side: CIFAR-10-C; 119 and fewer: Tiny ImageNet-C; else ImageNet-C), unchanged.
"""

import math
from typing import NamedTuple

from robustinfo.core.settings import Entry

SETS = {"cifar10_c": 32, "tiny_imagenet_c": 64, "imagenet_c": 224}  # sizes in pixels
SEVERITIES = (1, 2, 3, 4, 5)
_GRADES = tuple[tuple[float, ...], ...]  # the numbers of the settings, of every severity


class Published(NamedTuple):
    """A corruption: its method, the settings that severity decides, and their numbers by set."""

    method: str
    settings: tuple[str, ...]
    cifar10_c: _GRADES
    tiny_imagenet_c: _GRADES
    imagenet_c: _GRADES


def _one(method: str, setting: str, *grades: tuple[float, ...]) -> Published:
    """A corruption of a single number."""
    return Published(method, (setting,), *(tuple((one,) for one in numbers) for numbers in grades))


COMMON = {
    "gaussian_noise": _one("gaussian_noise", "std", (0.04, 0.06, 0.08, 0.09, 0.1),
                           (0.04, 0.08, 0.12, 0.15, 0.18), (0.08, 0.12, 0.18, 0.26, 0.38)),
    "shot_noise": _one("shot_noise", "photons", (500, 250, 100, 75, 50),
                       (250, 100, 50, 30, 15), (60, 25, 12, 5, 3)),
    "impulse_noise": _one("impulse_noise", "amount", (0.01, 0.02, 0.03, 0.05, 0.07),
                          (0.01, 0.02, 0.05, 0.08, 0.14), (0.03, 0.06, 0.09, 0.17, 0.27)),
    "defocus_blur": Published("defocus_blur", ("radius", "edge_std"),
        ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
        ((0.5, 0.6), (1, 0.1), (1.5, 0.1), (2.5, 0.01), (3, 0.1)),
        ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5))),
    "glass_blur": Published("glass_blur", ("std", "reach", "iterations"),
        ((0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)),
        ((0.1, 1, 1), (0.5, 1, 1), (0.6, 1, 2), (0.7, 2, 1), (0.9, 2, 2)),
        ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2))),
    "motion_blur": Published("motion_blur", ("radius", "std"),
        ((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
        ((10, 1), (10, 1.5), (10, 2), (10, 2.5), (12, 3)),
        ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15))),
    "zoom_blur": Published("zoom_blur", ("stop", "step"),
        ((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01)),
        ((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01)),
        ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03))),
    "snow": Published("snow", ("mean", "std", "zoom", "threshold", "radius", "smear_std", "kept"),
        ((0.1, 0.2, 1, 0.6, 8, 3, 0.95), (0.1, 0.2, 1, 0.5, 10, 4, 0.9),
         (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9), (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
         (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8)),
        ((0.1, 0.2, 1, 0.6, 8, 3, 0.8), (0.1, 0.2, 1, 0.5, 10, 4, 0.8),
         (0.15, 0.3, 1.75, 0.55, 10, 4, 0.7), (0.25, 0.3, 2.25, 0.6, 12, 6, 0.65),
         (0.3, 0.3, 1.25, 0.65, 14, 12, 0.6)),
        ((0.1, 0.3, 3, 0.5, 10, 4, 0.8), (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
         (0.55, 0.3, 4, 0.9, 12, 8, 0.7), (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
         (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55))),
    "fog": Published("fog", ("thickness", "decay"),
        ((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)),
        ((0.4, 3), (0.7, 3), (1, 2.5), (1.5, 2), (2, 1.75)),
        ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4))),
    "brightness": _one("brightness", "amount", (0.05, 0.1, 0.15, 0.2, 0.3),
                       (0.1, 0.2, 0.3, 0.4, 0.5), (0.1, 0.2, 0.3, 0.4, 0.5)),
    "contrast": _one("contrast", "factor", (0.75, 0.5, 0.4, 0.3, 0.15),
                     (0.4, 0.3, 0.2, 0.1, 0.05), (0.4, 0.3, 0.2, 0.1, 0.05)),
    "elastic_transform": Published("elastic_transform", ("displacement", "std", "affine"),
        ((0, 0, 2.56), (1.6, 6.4, 2.24), (2.56, 1.92, 1.92), (3.2, 1.28, 1.6), (3.2, 0.96, 0.96)),
        ((0, 0, 5.12), (3.2, 19.2, 3.84), (6.4, 5.12, 3.84), (6.4, 1.92, 1.92),
         (10.24, 1.92, 1.28)),
        ((488, 170.8, 24.4), (488, 19.52, 48.8), (12.2, 2.44, 4.88), (17.08, 2.44, 4.88),
         (29.28, 2.44, 4.88))),
    "pixelate": _one("pixelate", "scale", (0.95, 0.9, 0.85, 0.75, 0.65),
                     (0.9, 0.8, 0.7, 0.6, 0.5), (0.6, 0.5, 0.4, 0.3, 0.25)),
    "jpeg_compression": _one("jpeg", "quality", (80, 65, 58, 50, 40),
                             (65, 58, 50, 40, 25), (25, 18, 15, 10, 7)),
}  # fmt: skip
ADDITIONAL = {  # of the paper's additional set, for validation
    "speckle_noise": _one("speckle_noise", "std", (0.06, 0.1, 0.12, 0.16, 0.2),
                          (0.15, 0.2, 0.25, 0.3, 0.35), (0.15, 0.2, 0.35, 0.45, 0.6)),
    "gaussian_blur": _one("gaussian_blur", "std", (0.4, 0.6, 0.7, 0.8, 1),
                          (0.5, 0.75, 1, 1.25, 1.5), (1, 2, 3, 4, 6)),
}  # fmt: skip
ALL = COMMON | ADDITIONAL


def nearest_set(side: int) -> str:
    """The set for images whose shorter side has so many pixels."""
    return min(SETS, key=lambda name: abs(math.log(side / SETS[name])))


def entry(corruption: str, severity: int, side: int) -> Entry:
    """The entry of distortions/ of a corruption; side: of the images, the shorter one, in pixels.

    Raises KeyError for a name that is not in ALL.
    """
    one = ALL[corruption]
    grades = getattr(one, nearest_set(side))
    numbers = zip(one.settings, grades[severity - 1], strict=True)
    return {"method": one.method} | dict(numbers)
