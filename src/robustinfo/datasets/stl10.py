"""STL-10: photographs of animals and vehicles, colour, 96 x 96.

Coates, Ng and Lee (2011), AISTATS; taken from ImageNet, no licence is stated. 5,000 training and
8,000 test images of 10 balanced classes, uint8 (n, 3, 96, 96). The 100,000 unlabelled images of
the same archive are not used.
"""

from robustinfo.datasets import _torchvision

Config = _torchvision.Config
CLASSES = "airplane bird car cat deer dog horse monkey ship truck".split()

image_shape, load = _torchvision.published(
    "STL10", (3, 96, 96), "cs.stanford.edu/~acoates/stl10", classes=CLASSES, by_name=True
)
