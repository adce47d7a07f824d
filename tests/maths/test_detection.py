import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.metrics import roc_auc_score, roc_curve

from robustinfo.maths.detection import auc, true_positive_rate


def scores(n, shift, seed=0, digits=8):
    random = np.random.default_rng(seed)
    clean = random.normal(size=n)
    attacked = 0.7 * clean + 0.7 * random.normal(size=n) + shift  # of the same images
    return torch.tensor(attacked.round(digits)), torch.tensor(clean.round(digits))


def labelled(positive, negative):
    return np.r_[np.ones(len(positive)), np.zeros(len(negative))], np.r_[positive, negative]


@pytest.mark.parametrize("digits", [0, 8])  # 0: with many ties
@pytest.mark.parametrize("shift", [-1.0, 0.0, 0.7])
def test_the_auc_is_that_of_scikit_learn(shift, digits):
    positive, negative = scores(200, shift, digits=digits)
    expected = roc_auc_score(*labelled(positive, negative))
    assert auc(positive, negative)[0] == pytest.approx(expected)


def test_separated_scores_are_1_the_other_way_round_0_and_equal_ones_a_half():
    low, high = torch.arange(5.0), torch.arange(10.0, 15.0)
    assert auc(high, low)[0] == 1 and auc(low, high)[0] == 0
    assert auc(low, low)[0] == 0.5


@pytest.mark.parametrize("n", [8, 400])
def test_where_no_image_disagrees_the_interval_is_wilsons_of_a_quarter_of_the_images(n):
    low, high = torch.arange(float(n)), torch.arange(1000.0, 1000.0 + n)
    theirs = stats.binomtest(n // 4, n // 4).proportion_ci(method="wilson")
    assert auc(high, low) == pytest.approx((1, theirs.low, 1))
    assert auc(low, high) == pytest.approx((0, 0, 1 - theirs.low))
    constant = torch.ones(n)
    half = stats.binomtest(n // 8, n // 4).proportion_ci(method="wilson")
    assert auc(constant, constant) == pytest.approx((0.5, half.low, half.high))


def test_an_images_part_of_the_auc_varies_no_more_than_that_interval_says():
    for shift in (-2.0, 0.0, 1.0, 2.5):
        value, low, high = auc(*scores(200, shift))
        theirs = stats.norm.ppf(0.975) * np.sqrt(4 * value * (1 - value) / 200)
        assert (high - low) / 2 <= 1.01 * theirs


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    """Both scores of an image hang together; the AUC of two unit normals is Phi(shift / sqrt 2)."""
    shift, hits = 0.5, 0
    truth = stats.norm.cdf(shift / np.sqrt(1 + 0.98))  # the attacked scores have variance 0.98
    for seed in range(400):
        _, low, high = auc(*scores(80, shift, seed))
        hits += low <= truth <= high
    assert 0.92 <= hits / 400 <= 0.98


def test_the_interval_agrees_with_a_bootstrap_over_images():
    positive, negative = scores(150, 0.4)
    random = np.random.default_rng(0)
    draws = []
    for _ in range(1000):
        chosen = random.integers(0, 150, 150)
        draws.append(roc_auc_score(*labelled(positive[chosen], negative[chosen])))
    _, low, high = auc(positive, negative)
    np.testing.assert_allclose([low, high], np.percentile(draws, [2.5, 97.5]), atol=0.015)


@pytest.mark.parametrize("digits", [1, 8])
@pytest.mark.parametrize("level", [0.0, 0.01, 0.1, 0.5, 1.0])
def test_a_threshold_keeps_its_promise_and_is_the_best_of_scikit_learns_curve(level, digits):
    positive, negative = scores(200, 0.7, digits=digits)
    false, true, _ = roc_curve(*labelled(positive, negative), drop_intermediate=False)
    expected = true[false <= level + 1e-12].max()
    assert true_positive_rate(positive, negative, level) == pytest.approx(expected)
