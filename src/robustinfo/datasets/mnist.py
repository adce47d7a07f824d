"""MNIST: handwritten digits, grey, 28 x 28.

LeCun, Cortes and Burges (1998), from the NIST special databases 1 and 3; CC BY-SA 3.0.
60,000 training and 10,000 test images of 10 classes, uint8 (n, 1, 28, 28).
"""

from robustinfo.datasets import _torchvision

Config = _torchvision.Config
image_shape, load = _torchvision.published(
    "MNIST", (1, 28, 28), "yann.lecun.com/exdb/mnist", classes=_torchvision.DIGITS
)
