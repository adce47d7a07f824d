"""The task of every method of this folder: a trained network and its images."""

from collections.abc import Callable
from typing import NamedTuple

from robustinfo.models._network import Network
from robustinfo.training.loop import Images


class Task(NamedTuple):
    """A trained network and its images, on one device.

    sets: of a method that names ``attacks``, the same training images in the same order in every
    set, with their true labels: ``clean``, and what each attack made of them, rounded to 8 bits.
    """

    model: Network  # trained, in eval mode; a method copies it before it trains it
    build: Callable[[], Network]  # an untrained one of the same architecture
    train: Images
    test: Images
    sets: dict[str, Images]
