import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn
from torch.nn import functional as F

from robustinfo.core.errors import UserError
from robustinfo.learning import capacity
from robustinfo.learning._masked import memorise, outputs, start, untrained
from robustinfo.learning._task import Task
from robustinfo.learning.capacity import weights_needed
from robustinfo.maths.statistics import student
from robustinfo.training.loop import Images

D, HIDDEN, K = 25, 8, 3
KEPT = (0, 20, 50, 100, (D + K) * HIDDEN)


def begin(orders=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return start(D, HIDDEN, K, orders=orders, generator=generator)


def blobs(n=60, shuffled=False, seed=0):
    """A bright stripe per class in weak noise, which a linear model separates; or random labels."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(100, (n, 1, 5, 5), generator=generator)
    labels = torch.arange(n) % K
    for label in range(K):
        images[labels == label, :, label] += 155
    if shuffled:
        labels = labels[torch.randperm(n, generator=generator)]
    return Images(images.to(torch.uint8), labels)


def rows(sets, seed=0, train=None, **over):
    settings = {"hidden": HIDDEN, "kept": KEPT, "masks": 3, "epsilons": [0.1], "steps": 100}
    config = capacity.Config(attacks=[], **(settings | {"learning_rate": 0.03} | over))
    task = Task(None, None, train or sets["clean"], None, sets)
    generator = torch.Generator().manual_seed(seed)
    return list(capacity.learn(task, config=config, generator=generator))


def values(found, quantity, name="clean"):
    """{level: value}"""
    return {row.level: row.value for row in found if (row.quantity, row.input) == (quantity, name)}


class Twin(nn.Module):
    """One network as anyone would write it: all hidden units, the mask applied at every call."""

    def __init__(self, begin, order, k, relu):
        super().__init__()
        rank, draw = begin.ranks[order], begin.draws[order]  # (hidden, d + K)
        kept, share = (rank < k).to(draw), k / rank.numel()
        first = draw[:, :D] * math.sqrt(2 / max(1, share * D))
        second = draw[:, D:].T * math.sqrt(2 / max(1, share * HIDDEN))
        self.masks = kept[:, :D], kept[:, D:].T
        self.weights = nn.ParameterList([first, second.contiguous()])
        sizes = (HIDDEN, K)
        self.biases = nn.ParameterList([torch.zeros(size, dtype=draw.dtype) for size in sizes])
        self.relu = relu

    def forward(self, x):
        weights = [w * mask for w, mask in zip(self.weights, self.masks, strict=True)]
        h = F.linear(x, weights[0], self.biases[0])
        return F.linear(h.relu() if self.relu else h, weights[1], self.biases[1])

    def memorise(self, x, y, steps, learning_rate):
        """The fewest wrong, looked up before, between and after the steps."""
        optimizer = torch.optim.Adam(self.parameters(), lr=learning_rate)
        fewest = len(y)
        for step in range(steps + 1):
            logits = self(x)
            fewest = min(fewest, int((logits.argmax(1) != y).sum()))
            if step < steps:
                optimizer.zero_grad()
                F.cross_entropy(logits, y).backward()
                optimizer.step()
        return fewest


@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize("k", KEPT)
def test_networks_trained_together_are_those_trained_alone(k, relu):
    images, y = blobs(shuffled=True)
    # In float64: of a gradient's last digits, which the order of sums decides, Adam makes steps.
    at = begin()._replace(draws=begin().draws.double())
    x, together = images.flatten(1).double() / 255, untrained(at, k)
    settings = {"steps": 40, "learning_rate": 0.03}
    wrong = memorise(together, x, y, relu=relu, **settings)
    for order in range(3):
        alone = Twin(at, order, k, relu)
        assert wrong[order] == alone.memorise(x, y, **settings)
        logits = outputs(together, x, relu=relu)[order]
        torch.testing.assert_close(logits, alone(x), rtol=1e-3, atol=1e-3)


def test_a_mask_of_fewer_weights_lies_within_that_of_more():
    for few, more in pairwise(KEPT):
        assert ((begin().ranks < few) <= (begin().ranks < more)).all()
        assert ((begin().ranks < few).flatten(1).sum(1) == few).all()


@pytest.mark.parametrize("k", KEPT)
def test_weights_that_are_not_kept_stay_zero_and_the_others_learn(k):
    images, y = blobs()
    layers, before = untrained(begin(), k), untrained(begin(), k)
    memorise(layers, images.flatten(1).float() / 255, y, relu=False, steps=20, learning_rate=0.03)
    for layer, old in zip(layers, before, strict=True):
        assert not layer.weight[~layer.kept].any()
        assert (layer.weight != old.weight).any() == (k > 0)


def test_every_weight_that_can_matter_is_there_and_the_count_is_that_of_the_order():
    (first, second), whole = untrained(begin(), 100), begin().ranks < 100
    leaves = whole[..., D:].any(2)
    assert (second.kept.sum((1, 2)) == whole[..., D:].sum((1, 2))).all()
    for order in range(3):
        assert first.kept[order].T[: leaves[order].sum()].equal(whole[order, leaves[order], :D])
    everything = untrained(begin(), KEPT[-1])
    assert sum(layer.kept[0].sum() for layer in everything) == KEPT[-1]


def test_all_weights_memorise_what_a_linear_model_separates():
    found = rows({"clean": blobs()}, activation="linear", epsilons=[0.0])
    assert values(found, "memorised_accuracy")[KEPT[-1]] == 1
    assert values(found, "reached_share")[0.0] == 1


def test_without_weights_only_the_commonest_class_is_right():
    images, labels = blobs(40)  # 14 of class 0, 13 of each other
    labels = (labels + 1) % K  # so that the first class is not the commonest
    found = rows({"clean": Images(images, labels)}, kept=[0])
    assert values(found, "memorised_accuracy")[0] == pytest.approx(14 / 40)


@pytest.mark.parametrize("activation", ["relu", "linear"])
def test_images_with_their_own_labels_need_fewer_weights_than_with_anothers(activation):
    sets = {"clean": blobs(), "shuffled": blobs(shuffled=True)}
    grid = list(range(10, 200, 30))
    found = rows(sets, kept=grid, epsilons=[0.3], activation=activation, masks=5)
    extra = next(row for row in found if row.quantity == "extra_weights")
    assert extra.low > 0


def test_a_larger_error_never_needs_more_weights():
    epsilons = [0.0, 0.05, 0.2, 0.4, 0.6, 1.0]
    found = rows({"clean": blobs(shuffled=True)}, epsilons=epsilons)
    shares = list(values(found, "reached_share").values())
    needed = [v for v in values(found, "weights_needed").values() if not math.isnan(v)]
    assert shares == sorted(shares) and shares[-1] == 1
    assert needed == sorted(needed, reverse=True) and needed[-1] == 0 and needed[0] > 0


def test_an_error_allowed_is_read_off_as_it_is_written():
    errors = np.array([[0.5, 29 / 100, 0.0], [0.5, 30 / 100, 0.3], [0.2, 0.9, 0.0]])
    assert weights_needed(errors, (1, 5, 9), 0.29).tolist()[::2] == [5, 1]
    assert np.isnan(weights_needed(errors, (1, 5, 9), 0.29)[1])


def test_nothing_is_said_of_weights_where_a_mask_has_failed():
    found = rows({"clean": blobs(shuffled=True)}, kept=[30, 60], epsilons=[0.1, 0.3, 0.35, 0.6])
    shares, needed = values(found, "reached_share"), values(found, "weights_needed")
    assert {0, 1} < set(shares.values())
    assert all(math.isnan(needed[epsilon]) == (share < 1) for epsilon, share in shares.items())


def test_a_mean_over_masks_is_that_of_the_networks_with_students_interval():
    data, k = blobs(shuffled=True), 50
    begun = start(D, HIDDEN, K, orders=3, generator=torch.Generator().manual_seed(0))
    x = data.images.flatten(1).float() / 255
    wrong = memorise(untrained(begun, k), x, data.labels, relu=True, steps=100, learning_rate=0.03)
    right = 1 - wrong.numpy() / 60
    row = next(row for row in rows({"clean": data}) if row.level == k)
    expected = [right.mean(), *student(right)]
    assert [row.value, row.low, row.high] == pytest.approx(expected)
    assert row.n == 60 and row.low < row.value < row.high


def test_every_set_meets_the_same_networks_and_the_same_seed_finds_the_same():
    sets = {"clean": blobs(), "again": blobs(), "other": blobs(seed=1)}
    found = rows(sets, epsilons=[0.5, 1.0])
    for quantity in ("memorised_accuracy", "weights_needed", "reached_share"):
        assert values(found, quantity) == values(found, quantity, "again")
    assert values(found, "extra_weights", "again") == {0.5: 0, 1.0: 0}
    assert repr(found) == repr(rows(sets, epsilons=[0.5, 1.0]))
    assert repr(found) != repr(rows(sets, epsilons=[0.5, 1.0], seed=1))


def test_extra_weights_are_the_difference_to_the_clean_images_mask_by_mask():
    sets = {"shuffled": blobs(shuffled=True), "clean": blobs()}  # whichever comes first
    found = rows(sets, epsilons=[0.4])
    needed = [values(found, "weights_needed", name)[0.4] for name in ("shuffled", "clean")]
    (extra,) = [row for row in found if row.quantity == "extra_weights"]
    assert extra.input == "shuffled" and extra.value == pytest.approx(needed[0] - needed[1])


def test_images_of_any_shape_are_learned():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (12, 3, 4, 5), generator=generator, dtype=torch.uint8)
    found = rows({"clean": Images(images, torch.arange(12) % K)}, kept=[(60 + K) * HIDDEN])
    assert values(found, "memorised_accuracy")[(60 + K) * HIDDEN] == 1


def test_what_is_in_the_border_does_not_matter():
    images, labels = blobs(shuffled=True)
    inside = torch.full_like(images, 200)
    inside[..., 1:-1, 1:-1] = images[..., 1:-1, 1:-1]
    sets = {"clean": Images(images, labels), "framed": Images(inside, labels)}
    found = rows(sets, kept=[50, (9 + K) * HIDDEN], border=1)
    one, other = (values(found, "memorised_accuracy", name) for name in sets)
    assert one == other and one[50] > 1 / K
    assert one[50] != values(rows(sets, kept=[50]), "memorised_accuracy")[50]


def test_a_border_that_leaves_nothing_is_refused():
    with pytest.raises(UserError, match="`border` 3 leaves nothing of the images"):
        rows({"clean": blobs()}, border=3)


def test_a_least_count_that_already_suffices_is_said(caplog):
    rows({"clean": blobs()}, kept=[1, 9], epsilons=[0.9])
    assert "clean: the least of `kept`, 1, already suffices" in caplog.text


def test_more_weights_than_there_are_are_refused():
    with pytest.raises(UserError, match="`kept` asks for 225 of 224 weights"):
        rows({"clean": blobs()}, kept=[10, 225])


def test_counts_that_do_not_rise_are_refused():
    with pytest.raises(ValidationError, match=r"`kept` must rise from count to count, not \[5, 5"):
        rows({"clean": blobs()}, kept=[5, 5, 9])
