"""SVHN: house numbers cut out of street views, colour, 32 x 32 ("cropped digits").

Netzer et al. (2011), "Reading digits in natural images with unsupervised feature learning"; for
non-commercial use only. 73,257 training and 26,032 test images of 10 classes of unequal size,
uint8 (n, 3, 32, 32). The label of the digit 0 is 0 here, 10 in the published files. The 531,131
"extra" images are not used.
"""

from robustinfo.datasets import _torchvision

Config = _torchvision.Config
image_shape, load = _torchvision.published(
    "SVHN",
    (3, 32, 32),
    "ufldl.stanford.edu/housenumbers",
    classes=_torchvision.DIGITS,
    by_name=True,
)
