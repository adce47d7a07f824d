"""Remedies of a network that is known by its answers alone: where they are wanted, and exact."""

import numpy as np
import pytest
import torch
from torch import nn

import robustinfo
from robustinfo.evaluation.by_protocol import evaluate_by_protocol
from robustinfo.evaluation.finished import Finished
from robustinfo.evaluation.planning import protocols
from robustinfo.evaluation.remedies import ANSWERS
from robustinfo.evaluation.remedies._mounting import bound, called_for, names, remedy
from robustinfo.evaluation.remedies.estimated_gradient import RADIUS, estimated, noise_size
from robustinfo.evaluation.sizes import SIZES
from robustinfo.evaluation.sources._answers import AnswersOnly
from robustinfo.evaluation.threats import Ball
from robustinfo.maths.balls import distance
from tests.evaluation.answers_table import Told
from tests.evaluation.test_remedies import (
    BALL,
    CLASSES,
    SIZE,
    N,
    images,
    linear,
    mounted,
    truly_robust,
)

BY_ANSWERS = ["distilled_copy", "longer_search", "estimated_gradient", "longer_walk"]


@pytest.mark.parametrize(("norm", "epsilon"), [("linf", 0.1), ("l2", 1.5), ("l1", 12.0)])
def test_the_noise_of_the_estimate_is_about_as_long_as_it_is_to_be_in_every_norm(norm, epsilon):
    size = noise_size(Ball(norm=norm, epsilon=epsilon), 784)
    lengths = distance(size * torch.randn(20, 1, 28, 28), norm)
    # Of normal numbers: in linf the largest of 784, about 3.2; in l1 the mean size, 0.8.
    assert 0.7 < lengths.mean() / (RADIUS * epsilon) < 4


def test_the_estimated_gradient_is_that_of_the_margin_up_to_what_chance_allows():
    """Of a linear margin: a cosine of sqrt(m / (m + d)), and no bias of its length."""
    torch.manual_seed(0)
    weight, (d, m) = torch.randn(2, 36), (36, 2000)
    network = nn.Linear(36, 2, bias=False).requires_grad_(False)
    network.weight.copy_(weight)
    x, y = torch.full((3, 36), 0.5).view(3, 1, 6, 6), torch.zeros(3, dtype=torch.long)
    found = estimated(nn.Sequential(nn.Flatten(), network), x, y, 0.01, m).flatten(1)
    true = weight[1] - weight[0]
    cosine = nn.functional.cosine_similarity(found, true[None])
    assert cosine.tolist() == pytest.approx([(m / (m + d)) ** 0.5] * 3, abs=0.01)
    along = found @ true / true.square().sum()
    assert along.tolist() == pytest.approx([1.0] * 3, abs=0.1)


@pytest.mark.parametrize("name", BY_ANSWERS)
def test_each_finds_nearly_all_that_there_is_by_scores_and_nothing_else(name):
    left = mounted(Told(linear(), "scores"), name, by="gradient_attacks")
    assert left.remedies[name].not_made == ""
    assert not (truly_robust() & ~left.robust).any()
    assert (left.robust & ~truly_robust()).double().mean() < 0.15


def test_a_longer_walk_finds_most_of_it_by_labels_as_well():
    left = mounted(Told(linear(), "labels"), "longer_walk", by="gradient_attacks").robust
    assert not (truly_robust() & ~left).any()
    assert (left & ~truly_robust()).double().mean() < 0.15


def test_none_of_them_asks_for_a_gradient():
    assert {name for name in names() if ANSWERS in remedy(name).ACCESS} == {*BY_ANSWERS}
    assert {*called_for([], answers_only=True)} == {*BY_ANSWERS}
    random = called_for(["forwards_differ_fraction"], answers_only=True)
    assert [*random] == ["distilled_copy"]


def test_of_a_network_with_gradients_no_estimate_is_called_for():
    assert {*called_for(["gradient_attacks"])} == {"distilled_copy", "longer_search"}


def evaluated(remedies, folder=None):
    (x, y), told = images(), Told(linear(), "scores")
    found = evaluate_by_protocol(
        SIZE, told.eval(), x, y, classes=CLASSES, ball=BALL, remedies=remedies,
        finished=Finished(folder, {"seed": 0}), progress=lambda step: None,
    )  # fmt: skip
    return found, told.asked


def test_they_are_made_where_they_are_wanted_and_the_verdict_stays():
    plain, asked = evaluated(None)
    assert plain.black_box and plain.after_remedies is None
    assert evaluated(False)[1] == asked
    found, more = evaluated(True)
    after = found.after_remedies
    assert {*after.remedies} == {*BY_ANSWERS} and found.verdict == plain.verdict
    assert torch.equal(found.robust, plain.robust)
    assert not (truly_robust() & ~after.robust).any()
    assert after.robust.sum() <= truly_robust().sum() + 0.05 * N
    queries = bound(SIZE, BALL, ANSWERS).queries
    assert 0 < more - asked <= found.robust.sum() * queries


def test_a_program_gets_them_of_a_function_of_arrays_and_the_plan_says_what_they_ask():
    (x, y), weights = images(), linear()[1]
    w = weights.weight.detach().numpy()

    def predict(batch):
        return batch.reshape(len(batch), -1) @ w.T

    options = {"epsilon": BALL.epsilon, "classes": CLASSES, "protocol": "tiny", "device": "cpu"}
    network = AnswersOnly(predict, CLASSES)
    found = robustinfo.judge(network, x, y, remedies=True, attacks=["square"], **options)
    assert "after remedies (distilled_copy" in repr(found)
    assert isinstance(predict(np.zeros((1, 1, 6, 6), np.float32)), np.ndarray)
    sizes = [size.images for size in SIZES]
    for plan in protocols([BALL], 36, sizes):
        assert plan["remedies_by_answers"]["without"] == sum(
            round(remedy(name).cost(SIZES[0], BALL).queries) for name in BY_ANSWERS
        )
