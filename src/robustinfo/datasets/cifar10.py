"""CIFAR-10: small photographs of animals and vehicles, colour, 32 x 32.

Krizhevsky (2009), "Learning multiple layers of features from tiny images"; no licence is stated.
50,000 training and 10,000 test images of 10 balanced classes, uint8 (n, 3, 32, 32).
"""

from robustinfo.datasets import _torchvision

Config = _torchvision.Config
image_shape, load = _torchvision.published(
    "CIFAR10", (3, 32, 32), "www.cs.toronto.edu/~kriz/cifar.html"
)
