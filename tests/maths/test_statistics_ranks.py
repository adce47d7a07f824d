"""Intervals by the spread of a few values, against scipy and by what they cover."""

import math

import numpy as np
import pytest
from scipy import stats

from robustinfo.maths.statistics import jackknife, spearman, student


@pytest.mark.parametrize("values", [[0.1, 0.4], [3.0, 5.0, 4.0, -7.0], [2.0] * 3 + [2.5]])
def test_student_is_scipys_interval_of_the_one_sample_t_test(values):
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert student(values) == pytest.approx((expected.low, expected.high), rel=1e-12)


def test_a_single_value_has_no_interval():
    assert all(math.isnan(bound) for bound in (*student([0.5]), *jackknife(0.5, np.array([0.2]))))


def leaving_out(values, groups):
    """The mean without each of so many groups of values in turn."""
    return np.array([np.delete(values, np.s_[group::groups]).mean() for group in range(groups)])


@pytest.mark.parametrize("values", [[0.1, 0.4], [3.0, 5.0, 4.0, -7.0], [2.0] * 3 + [2.5]])
def test_the_jackknife_of_a_mean_by_single_values_is_students_interval(values):
    found = jackknife(np.mean(values), leaving_out(values, len(values)))
    assert found == pytest.approx(student(values), rel=1e-9)


def test_twenty_groups_cover_a_ratio_of_means_in_95_of_100_draws():
    rng = np.random.default_rng(0)

    def interval():
        one, other = rng.exponential(2, 400), rng.exponential(1, 400)
        ratio = leaving_out(one, 20) / leaving_out(other, 20)
        return jackknife(one.mean() / other.mean(), ratio)

    covered = [low <= 2 <= high for low, high in (interval() for _ in range(1000))]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.025)


def test_five_seeds_cover_their_mean_in_95_of_100_draws():
    rng = np.random.default_rng(0)
    covered = [
        low <= 1 <= high for low, high in (student(rng.normal(1, 2, 5)) for _ in range(2000))
    ]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("n", [5, 12])
def test_spearmans_interval_is_fishers_with_the_variance_of_bonett_and_wright(n):
    generator = np.random.default_rng(n)
    x, y = generator.normal(size=(2, n))
    value, low, high = spearman(x, y)
    assert value == pytest.approx(stats.spearmanr(x, y).statistic)
    reach = stats.norm.ppf(0.975) * math.sqrt((1 + value**2 / 2) / (n - 3))
    expected = [math.tanh(math.atanh(value) + way) for way in (-reach, reach)]
    assert [low, high] == pytest.approx(expected)


def test_spearmans_interval_holds_the_correlation_of_normal_pairs_about_95_times_in_100():
    generator = np.random.default_rng(0)
    rho = 0.6
    true = 6 / math.pi * math.asin(rho / 2)
    pairs = generator.multivariate_normal([0, 0], [[1, rho], [rho, 1]], size=(600, 20))
    found = [spearman(*pair.T) for pair in pairs]
    assert 0.92 < np.mean([low <= true <= high for _, low, high in found]) < 0.98


@pytest.mark.parametrize("sign", [1, -1])
def test_ranks_that_all_agree_still_have_an_interval_and_it_shrinks_with_more_of_them(sign):
    few, many = (spearman(np.arange(n), sign * np.arange(n) ** 3) for n in (4, 12))
    assert few[0] == many[0] == pytest.approx(sign)
    for value, low, high in (few, many):
        assert low <= value <= high
    assert few[2] - few[1] > 1 > many[2] - many[1] > 0


def test_three_pairs_have_no_interval_and_equal_values_no_correlation():
    value, *interval = spearman(np.array([1, 2, 3]), np.array([5, 7, 6]))
    assert value == pytest.approx(0.5) and all(map(math.isnan, interval))
    assert all(map(math.isnan, spearman(np.ones(5), np.arange(5))))
