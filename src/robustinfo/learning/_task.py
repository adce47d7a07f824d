"""What every method here is given: a trained network, and the images that another may learn."""

from collections.abc import Callable
from typing import NamedTuple

from robustinfo.models._network import Network
from robustinfo.training import Images


class Task(NamedTuple):
    """What there is to learn from, on one device."""

    model: Network  # the run's trained network in eval mode; copy it before you train it
    build: Callable[[], Network]  # an untrained one of the same architecture, on the device
    train: Images  # all training images
    test: Images  # the test images
    # ``clean``, and per attack its images of 8 bits: the same images in every set, in the same
    # order, with their true labels; only those where every attack succeeds.
    sets: dict[str, Images]
