"""Fashion-MNIST: articles of clothing, grey, 28 x 28.

Xiao, Rasul and Vollgraf (2017), arXiv 1708.07747, from the shop of Zalando; MIT licence.
60,000 training and 10,000 test images of 10 balanced classes, uint8 (n, 1, 28, 28).
"""

from robustinfo.datasets import _torchvision

Config = _torchvision.Config
image_shape, load = _torchvision.published(
    "FashionMNIST", (1, 28, 28), "github.com/zalandoresearch/fashion-mnist"
)
