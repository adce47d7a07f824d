from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from robustinfo.core import registry
from robustinfo.datasets import digits


def load(split, **settings):
    return registry.get("datasets", {"method": "digits", **settings})(split, root=Path("nowhere"))


def test_the_splits_share_out_every_published_digit_once():
    train, test = load("train"), load("test")
    assert (len(train.labels), len(test.labels)) == (1347, 450)
    together = np.bincount(train.labels) + np.bincount(test.labels)
    assert (together == np.bincount(load_digits().target)).all()
    # At size 8 nothing is interpolated: the images themselves can be looked for.
    small = np.concatenate([load(split, size=8).images for split in ("train", "test")])
    published = np.round(load_digits().images * 255 / 16).astype(np.uint8)
    assert sorted(x.tobytes() for x in small) == sorted(x.tobytes() for x in published)


def test_images_are_uint8_nchw_and_use_the_whole_range():
    train = load("train")
    assert train.images.dtype == np.uint8 and train.images.shape == (1347, 1, 28, 28)
    assert train.labels.dtype == np.int64
    assert train.images.min() == 0 and train.images.max() == 255
    assert train.classes == [str(digit) for digit in range(10)]


def test_every_class_has_the_same_share_in_both_splits():
    train, test = np.bincount(load("train").labels), np.bincount(load("test").labels)
    assert np.abs(test - 0.25 * (train + test)).max() < 1


def test_two_loads_are_byte_identical():
    first, second = load("test"), load("test")
    assert first.images.tobytes() == second.images.tobytes()
    assert first.labels.tobytes() == second.labels.tobytes()


def test_enlarging_keeps_a_constant_image_and_the_slope_of_a_ramp():
    # Bilinear interpolation is exact on a plane; pixel i of 16 lies at (i + 0.5) / 2 - 0.5.
    ramp = np.tile(np.arange(8.0), (8, 1))[None]
    inside = digits._enlarge(ramp, 16)[0, 0, :, 1:15]
    expected = torch.round((torch.arange(1, 15) / 2 - 0.25).double() * 255 / 16)
    assert (inside == expected.numpy()).all()
    assert (digits._enlarge(np.full((1, 8, 8), 8.0), 28) == 128).all()


def test_an_unknown_split_is_refused_with_the_choices():
    with pytest.raises(ValueError, match="'validation'; there are train, test"):
        load("validation")
