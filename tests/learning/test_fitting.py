import copy
from collections import OrderedDict
from statistics import fmean

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from robustinfo.core.batches import correct, to_float
from robustinfo.core.errors import UserError
from robustinfo.learning import fitting
from robustinfo.learning._task import Task
from robustinfo.models._network import Network
from robustinfo.training.loop import Images

TRAINING = {"epochs": 6, "batch_size": 8, "learning_rate": 0.05, "snapshot_every": 6}
K = 3


def stripes(n=60, seed=0):
    """A bright stripe per class in weak noise, which a linear model separates."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(100, (n, 1, 5, 5), generator=generator)
    labels = torch.arange(n) % K
    for label in range(K):
        images[labels == label, :, label] += 155
    return Images(images.to(torch.uint8), labels)


def build(pixels=25):
    layers = OrderedDict(flatten=nn.Flatten(), drop=nn.Dropout(0.2), fc=nn.Linear(pixels, K))
    return Network(layers, probes=["fc"], activations=["softmax"])


def task(sets, built=None):
    """built: receives every network that is asked for."""

    pixels = sets["clean"].images[0].numel()

    def asked():
        model = build(pixels)
        if built is not None:
            built.append(model)
        return model

    return Task(build().eval(), asked, sets["clean"], sets["clean"], sets)


def rows(sets, *, seed=0, built=None, test_share=0.25, **over):
    config = fitting.Config(attacks=[], training=TRAINING | over, test_share=test_share)
    generator = torch.Generator().manual_seed(seed)
    return list(fitting.learn(task(sets, built), config=config, generator=generator))


def curve(found, quantity, name="clean"):
    """By epoch."""
    return [row.value for row in found if (row.quantity, row.input) == (quantity, name)]


def test_a_separable_set_is_learned_and_its_held_out_images_too():
    found = rows({"clean": stripes()}, epochs=20)
    assert curve(found, "train_accuracy")[-1] == 1
    assert curve(found, "test_accuracy")[-1] == 1
    assert curve(found, "train_accuracy")[0] < 0.9


def test_every_epoch_has_both_accuracies_of_its_images():
    found = rows({"clean": stripes()})
    for quantity, n in {"train_accuracy": 45, "test_accuracy": 15}.items():
        own = [row for row in found if row.quantity == quantity]
        assert [row.epoch for row in own] == list(range(7))
        assert {row.n for row in own} == {n}


def test_the_mean_accuracy_is_over_the_epochs_that_follow_a_step():
    found = rows({"clean": stripes()})
    for which in ("train", "test"):
        (mean,) = curve(found, f"mean_{which}_accuracy")
        assert mean == pytest.approx(fmean(curve(found, f"{which}_accuracy")[1:]))


def test_equal_sets_give_equal_curves_and_the_same_seed_the_same_rows():
    sets = {"clean": stripes(), "again": stripes(), "other": stripes(seed=1)}
    found = rows(sets, learning_rate=0.005)  # slowly, so that the order of the images shows
    for quantity in ("train_accuracy", "test_accuracy"):
        assert curve(found, quantity) == curve(found, quantity, "again")
    assert found == rows(sets, learning_rate=0.005)
    assert found != rows(sets, learning_rate=0.005, seed=1)


def test_the_last_accuracies_are_those_of_the_trained_network_on_a_split_of_all_images():
    data, built = stripes(), []
    found = rows({"clean": data}, built=built, epochs=1, learning_rate=0.005)
    hits = correct(built[0].eval(), to_float(data.images), data.labels).sum().item()
    last = 45 * curve(found, "train_accuracy")[-1] + 15 * curve(found, "test_accuracy")[-1]
    assert last == pytest.approx(hits)
    assert hits < 60


def test_labels_without_a_reason_are_learned_and_not_predicted():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (60, 1, 8, 8), generator=generator, dtype=torch.uint8)
    data = Images(images, torch.randint(K, (60,), generator=generator))
    found = rows({"clean": data}, epochs=40, test_share=0.5)
    assert curve(found, "train_accuracy")[-1] == 1
    assert curve(found, "test_accuracy")[-1] < 0.6


def test_the_split_keeps_the_classes_shares_and_is_the_same_in_every_set(monkeypatch):
    labels = torch.tensor([0] * 20 + [1] * 12 + [2] * 8)
    greys = torch.arange(40, dtype=torch.uint8).view(40, 1, 1, 1).repeat(1, 1, 5, 5)
    split, curve_of = [], fitting._curve

    def spied(model, *parts, **settings):
        split.append([set(part.images[:, 0, 0, 0].tolist()) for part in parts[:2]])
        assert [part.labels.bincount().tolist() for part in parts[:2]] == [[15, 9, 6], [5, 3, 2]]
        return curve_of(model, *parts, **settings)

    monkeypatch.setattr(fitting, "_curve", spied)
    rows({"clean": Images(greys, labels), "attack": Images(greys + 100, labels)}, epochs=1)
    learned, held_out = split[0]
    assert learned | held_out == set(range(40)) and not learned & held_out
    assert split[1] == [{grey + 100 for grey in part} for part in split[0]]


def test_torchs_global_generator_and_the_runs_network_stay_as_they_were():
    given = task({"clean": stripes(), "attack": stripes(seed=1)})
    weights = copy.deepcopy(given.model.state_dict())
    torch.manual_seed(5)
    before = torch.get_rng_state()
    config = fitting.Config(attacks=[], training=TRAINING, test_share=0.25)
    for _ in fitting.learn(given, config=config, generator=torch.Generator().manual_seed(0)):
        assert torch.get_rng_state().equal(before)
    assert all(value.equal(weights[name]) for name, value in given.model.state_dict().items())


def test_too_few_images_to_hold_one_out_are_refused():
    with pytest.raises(UserError, match=r"test_share 0.1 of 6 images leaves none to test"):
        rows({"clean": stripes(6)}, test_share=0.1)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1])
def test_a_share_that_leaves_one_part_empty_is_refused(share):
    with pytest.raises(ValidationError, match="test_share"):
        fitting.Config(attacks=[], training=TRAINING, test_share=share)


def test_a_number_that_the_training_does_not_know_is_refused():
    with pytest.raises(ValidationError, match="learning_rat\n"):
        fitting.Config(attacks=[], training=TRAINING | {"learning_rat": 0.1}, test_share=0.2)
