import math

import numpy as np
import pytest
from scipy import stats

from robustinfo.maths.intervals import jackknife, student, wilson


@pytest.mark.parametrize(
    "hits, n", [(0, 10), (1, 10), (5, 10), (10, 10), (37, 500), (9_999, 10_000)]
)
def test_wilson_is_the_closed_formula_of_1927(hits, n):
    z, p = stats.norm.ppf(0.975), hits / n
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert wilson(p, n) == pytest.approx((centre - reach, centre + reach), abs=1e-12)


def test_wilson_knows_the_count_behind_a_fraction_rounded_to_float32():
    assert wilson(float(np.float32(1 / 3)), 3000) == wilson(1 / 3, 3000)


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
