"""What every method of this folder learns from."""

from collections.abc import Callable
from typing import NamedTuple

from robustinfo.models._network import Network
from robustinfo.training import Images


class Task(NamedTuple):
    """One run, on one device.

    sets: the test images that the method's ``attacks`` all turned, in the same order in every set,
    with their true labels: ``clean``, and per attack its images, rounded to 8 bits.
    """

    model: Network  # trained, in eval mode; a method copies it before it trains it
    build: Callable[[], Network]  # an untrained one of the same architecture
    train: Images
    test: Images
    sets: dict[str, Images]
