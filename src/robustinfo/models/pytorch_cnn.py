"""PyTorch's example network for MNIST, without drop-out: two convolutions and two dense layers.

conv 10 @ 5x5, pool, conv 20 @ 5x5, pool, 50-K, as the first versions of the mnist example in
PyTorch's repository of examples have it. Max-pooling halves the image; ReLU throughout. 21,840
weights on 28 x 28 grey images.

It is taken to be the "four-layer CNN" of arXiv 2011.13538. What is left to read of that paper's
list (annex A) is: max-pooling with stride 2, flatten, a dense layer from 320, ReLU, a dense layer
from 50 to 10. (The first is printed with 10 outputs, which do not fit the second.) 320 is 20 maps
of 4 x 4 pixels; two 3 x 3 convolutions with their poolings leave 5 x 5 or 7 x 7, and neither
divides 320. The code of TRADES, from which that paper takes its ResNet-18, has this very network.
Drop-out is in that code and not in what is left of the list.
"""

from collections import OrderedDict

from torch import nn

from robustinfo.core.errors import UserError
from robustinfo.core.settings import Names, Settings
from robustinfo.models._network import Network


class Config(Settings):
    probes: Names = ("conv1", "conv2", "fc1", "fc2")
    # What the next layer reads: every activation's output, pooled where a pooling follows, and the
    # softmax.
    activations: Names = ("pool1", "pool2", "act3", "softmax")


def build(image_shape: tuple[int, int, int], num_classes: int, *, config: Config) -> Network:
    """An untrained classifier, (n, c, h, w) in [0, 1] -> (n, K) logits.

    image_shape: (c, h, w). Raises ValueError below 16 x 16 pixels, where nothing is left to pool.
    """
    c, h, w = image_shape
    if min(h, w) < 16:
        raise UserError(f"this network needs images of at least 16 x 16 pixels, not {h} x {w}")
    places = ((h - 4) // 2 - 4) // 2 * (((w - 4) // 2 - 4) // 2)
    layers = OrderedDict(
        conv1=nn.Conv2d(c, 10, kernel_size=5),  # (n, 10, h - 4, w - 4)
        act1=nn.ReLU(),
        pool1=nn.MaxPool2d(2),  # (n, 10, (h - 4)/2, (w - 4)/2)
        conv2=nn.Conv2d(10, 20, kernel_size=5),
        act2=nn.ReLU(),
        pool2=nn.MaxPool2d(2),  # (n, 20, ((h - 4)/2 - 4)/2, ((w - 4)/2 - 4)/2)
        flatten=nn.Flatten(),
        fc1=nn.Linear(20 * places, 50),  # (n, 50)
        act3=nn.ReLU(),
        fc2=nn.Linear(50, num_classes),  # (n, K)
    )
    return Network(layers, config.probes, config.activations)
