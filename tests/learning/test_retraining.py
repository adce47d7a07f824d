"""What retraining on distorted or adversarial images reports, on digits and a small network."""

import math
from collections import OrderedDict

import pytest
import torch
from pydantic import ValidationError
from sklearn.datasets import load_digits

from robustinfo.complexities import entropy
from robustinfo.core.batches import accuracy, to_float
from robustinfo.distortions import jpeg
from robustinfo.learning import adversarial_share, retrained
from robustinfo.learning._fit import fit
from robustinfo.learning._task import Task
from robustinfo.models._network import Network
from robustinfo.training import loop
from robustinfo.training.loop import Images

TRAINING = {"epochs": 3, "batch_size": 50, "learning_rate": 0.003, "snapshot_every": 9}
FGSM = {"method": "fgsm", "epsilon": 0.2}


def generator():
    return torch.Generator().manual_seed(0)


def untrained():
    torch.manual_seed(0)
    layers = OrderedDict(
        conv=torch.nn.Conv2d(1, 8, 3, padding=1),
        act=torch.nn.ReLU(),
        maps=torch.nn.Conv2d(8, 10, 3, padding=1),
        flatten=torch.nn.Flatten(),
        fc=torch.nn.Linear(640, 10),
    )
    return Network(layers, ["maps"], ["act"])


@pytest.fixture(scope="module")
def task():
    digits = load_digits()
    images = torch.tensor(digits.images[:, None] * 255 / 16).round().to(torch.uint8)
    labels = torch.tensor(digits.target)
    train, test = Images(images[:900], labels[:900]), Images(images[900:1400], labels[900:1400])
    model = untrained()
    config = loop.Config(**TRAINING | {"epochs": 12})
    fit(model, train, config=config, generator=generator())
    return Task(model=model, build=untrained, train=train, test=test, sets={})


def of(rows, quantity):
    return {row.level: row.value for row in rows if row.quantity == quantity}


def test_fitting_learns_and_shows_every_epoch(task):
    model, seen = untrained(), []
    config = loop.Config(**TRAINING)
    fit(model, task.train, config=config, generator=generator(), each_epoch=seen.append)
    assert seen == [0, 1, 2, 3] and not model.training
    x, y = to_float(task.test.images), task.test.labels
    assert accuracy(model, x, y) > accuracy(untrained(), x, y) + 0.4


def quantised(qualities):
    distortion = {"method": "jpeg", "sweep": {"quality": qualities}}
    return retrained.Config(distortion=distortion, training=loop.Config(**TRAINING))


def test_the_operating_point_is_the_strongest_level_within_the_allowed_loss(task):
    before = {name: value.clone() for name, value in task.model.state_dict().items()}
    config = quantised([1, 10, 100])
    rows = list(retrained.learn(task, config=config, generator=generator()))
    found = of(rows, "accuracy")
    assert list(found) == [1, 10, 100] and found[1] < found[100]
    (undistorted,) = of(rows, "accuracy_undistorted").values()
    least = undistorted - 0.01
    (point,) = of(rows, "operating_point").values()
    assert point == min(level for level, value in found.items() if value >= least)
    assert all(torch.equal(value, before[name]) for name, value in task.model.state_dict().items())


def test_without_a_level_that_is_good_enough_there_is_no_operating_point(task):
    rows = retrained.learn(task, config=quantised([1]), generator=generator())
    (point,) = of(rows, "operating_point").values()
    assert math.isnan(point)


def test_a_level_is_the_same_whatever_was_tried_before_it(task):
    alone = list(retrained.learn(task, config=quantised([50]), generator=generator()))
    after = list(retrained.learn(task, config=quantised([5, 50]), generator=generator()))
    assert of(alone, "accuracy")[50] == of(after, "accuracy")[50]


def test_a_distortion_without_levels_is_refused_before_anything_is_trained():
    with pytest.raises(ValidationError, match="needs a `sweep`"):
        retrained.Config(
            distortion={"method": "jpeg", "quality": 20}, training=loop.Config(**TRAINING)
        )


@pytest.fixture(scope="module")
def shares(task):
    config = adversarial_share.Config(
        adversary=FGSM, shares=[0.0, 0.5, 1.0], training=loop.Config(**TRAINING)
    )
    return list(adversarial_share.learn(task, config=config, generator=generator()))


def test_images_like_those_retrained_on_lose_their_power(shares):
    on_first = of(shares, "accuracy_on_first")
    assert on_first[0.0] < 0.4 < on_first[0.5]


def test_the_reached_share_says_when_the_attack_turned_too_few(shares, task):
    reached = of(shares, "reached_share")
    assert reached[0.0] == 0 and reached[0.5] == pytest.approx(0.5, abs=1e-3)
    assert reached[0.5] < reached[1.0] < 1
    assert set(of(shares, "accuracy")) == {0.0, 0.5}  # a share out of reach is not retrained


def test_every_share_has_its_complexities_and_its_redundancy_with_a_ceiling(shares):
    for quantity in ("feature_entropy_plug_in_bits", "feature_entropy_jvhw_bits"):
        assert all(0 < value <= 8.5 for value in of(shares, quantity).values())
    assert all(value > 300 for value in of(shares, "feature_jpeg_bytes").values())
    rows = [row for row in shares if row.quantity == "redundancy_bits"]
    assert len(rows) == 2 and all(0 <= row.value <= row.ceiling + 1e-9 for row in rows)


def test_the_maps_are_measured_as_one_grey_image_of_8_bits_after_jpeg(task):
    images = task.test.images[:3]
    found = adversarial_share._complexities(task.model, images, "maps")
    with torch.no_grad():
        maps = task.model.observe(to_float(images), ("maps",))[1]["maps"].view(3, 1, 80, 8)
    for number, image in enumerate(maps):
        scaled = ((image - image.min()) / (image.max() - image.min()))[None]
        distorted = jpeg.distort(scaled, config=jpeg.Config(quality=20), generator=None)
        written = (distorted * 255).round().to(torch.uint8)
        settings = entropy.Config(alphabet="byte", estimator="plug_in")
        expected = entropy.measure(written, config=settings)
        torch.testing.assert_close(found["feature_entropy_plug_in_bits"][number], expected[0])


def test_a_point_without_maps_is_an_error_with_the_layers(task):
    with pytest.raises(ValueError, match=r"no layer .fc. with feature maps; .*conv, act, maps"):
        adversarial_share._maps(task.model, to_float(task.test.images[:1]), "fc")
