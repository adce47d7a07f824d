"""Partial correlations against their closed form, and by what they cover."""

import math

import numpy as np
import pytest
from scipy import stats

from robustinfo.maths.statistics import partial_correlation

NONE = np.zeros((30, 0))


def cases(n, seed=0, m=2):
    return np.random.default_rng(seed).normal(size=(n, 2 + m))


def test_without_controls_it_is_pearson_s_or_spearman_s():
    x, y = cases(30, m=0).T
    y = y + x
    found = partial_correlation(x, y, NONE)[0]
    assert found == pytest.approx(stats.pearsonr(x, y).statistic)
    found = partial_correlation(x, y, NONE, ranks=True)[0]
    assert found == pytest.approx(stats.spearmanr(x, y).statistic)


@pytest.mark.parametrize("ranks", [False, True])
def test_it_is_that_of_the_inverse_of_all_correlations(ranks):
    """-P_xy / sqrt(P_xx P_yy), P the inverse of the matrix of correlations."""
    columns = cases(40) @ np.random.default_rng(1).normal(size=(4, 4))
    matrix = stats.spearmanr(columns).statistic if ranks else np.corrcoef(columns.T)
    p = np.linalg.inv(matrix)
    expected = -p[0, 1] / math.sqrt(p[0, 0] * p[1, 1])
    found = partial_correlation(columns[:, 0], columns[:, 1], columns[:, 2:], ranks=ranks)
    assert found[0] == pytest.approx(expected)
    assert found[1] <= found[0] <= found[2]


def test_what_only_a_third_variable_makes_alike_is_not_correlated_without_it():
    noise_x, noise_y, cause, other = cases(400, m=2).T
    x, y = cause + 0.3 * noise_x, cause + 0.3 * noise_y
    assert stats.pearsonr(x, y).statistic > 0.85
    for ranks in (False, True):
        value, low, high = partial_correlation(x, y, np.column_stack([cause, other]), ranks=ranks)
        assert abs(value) < 0.15 and low < 0.02 and high > -0.02


def test_units_and_monotone_maps_do_not_count():
    columns = cases(25)
    x, y, controls = columns[:, 0], columns[:, 1], columns[:, 2:]
    found = partial_correlation(x, y, controls)
    assert partial_correlation(5 * x - 3, y, 100 * controls) == pytest.approx(found)
    found = partial_correlation(x, y, controls, ranks=True)
    mapped = partial_correlation(np.exp(x), y**3, controls**3, ranks=True)
    assert mapped == pytest.approx(found)


def test_intervals_cover_a_partial_correlation_of_half_in_most_of_100_draws():
    def interval(seed):
        noise_x, noise_y, common, cause = cases(60, seed).T
        x, y = common + noise_x + cause, common + noise_y + cause
        return partial_correlation(x, y, cause[:, None])

    covered = [low <= 0.5 <= high for _, low, high in map(interval, range(100))]
    assert 0.87 <= np.mean(covered) <= 1


@pytest.mark.parametrize("ranks", [False, True])
def test_it_is_not_known_of_few_cases_or_where_nothing_is_left(ranks):
    columns = cases(5)
    few = partial_correlation(columns[:, 0], columns[:, 1], columns[:, 2:], ranks=ranks)
    columns = cases(20)
    control = columns[:, 2:3]
    same = partial_correlation(control[:, 0], columns[:, 1], control, ranks=ranks)
    flat = partial_correlation(np.ones(20), columns[:, 1], control, ranks=ranks)
    for found in (few, same, flat):
        assert all(map(math.isnan, found))
