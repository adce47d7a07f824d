"""Data sets that need no network keep their promises; a broken one is told which.

Those that are fetched are read in their published layout in tests/datasets/.
"""

from types import SimpleNamespace

import numpy as np
import pytest

from robustinfo.core import registry
from robustinfo.core.settings import Settings
from robustinfo.datasets._prepared import RawImages, is_train
from tests.promises import Broken, Held, datasets, of

FETCHED = {  # from the sources that tests/datasets/ stands in for
    "cifar10", "cifar100", "fashion_mnist", "imdb", "mnist", "reuters2", "stl10", "svhn",
    "tiny_imagenet",
}  # fmt: skip


@pytest.mark.parametrize("name", [n for n in registry.names("datasets") if n not in FETCHED])
def test_a_data_set_keeps_its_promises(name, tmp_path):
    datasets.held(of("datasets", {"method": name}), tmp_path)


@pytest.mark.parametrize("name", sorted(FETCHED))
def test_a_data_set_that_is_fetched_has_its_functions_and_says_its_shape(name):
    held = of("datasets", {"method": name})
    shape = held.hook("image_shape")
    assert (shape is None) == (held.hook("READS") == "texts")
    assert shape is None or all(side > 0 for side in shape(held.config))


class Config(Settings):
    pass


def load(split, *, config, root):
    images = np.full((4, 1, 3, 3), 1 + is_train(split), dtype=np.uint8)
    return RawImages(images, np.arange(4) % 2, ["left", "right"], "made here")


def changed(**parts):
    return lambda split, *, config, root: load(split, config=config, root=root)._replace(**parts)


def unsteady(split, *, config, root):
    noise = np.random.default_rng().integers(0, 256, (4, 1, 3, 3), dtype=np.uint8)
    return load(split, config=config, root=root)._replace(images=noise)


TWINS = {
    "images are uint8": changed(images=np.zeros((4, 1, 3, 3))),
    "labels are int64": changed(labels=np.arange(4, dtype=np.int32) % 2),
    "labels are 0..K-1": changed(labels=np.zeros(4, dtype=np.int64)),
    "classes have names": changed(classes=[0, 1]),
    "the source is one line": changed(source=""),
    "image_shape is that": changed(images=np.zeros((4, 1, 5, 5), dtype=np.uint8)),
    "the same whenever": unsteady,
    "another split": lambda split, *, config, root: load("test", config=config, root=root),
}


def twin(verb):
    parts = SimpleNamespace(Config=Config, load=verb, image_shape=lambda config: (1, 3, 3))
    return Held("datasets", "twin", parts, Config())


def test_a_sound_data_set_keeps_its_promises(tmp_path):
    datasets.held(twin(load), tmp_path)


@pytest.mark.parametrize("promise", TWINS)
def test_a_data_set_that_breaks_a_promise_is_told_which(promise, tmp_path):
    with pytest.raises(Broken) as raised:
        datasets.held(twin(TWINS[promise]), tmp_path)
    assert promise in str(raised.value)
