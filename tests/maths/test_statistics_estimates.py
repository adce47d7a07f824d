"""p-values, the worst of several estimates, and Holm's correction."""

import math

import numpy as np
import pytest
from scipy import stats

from robustinfo.maths.statistics import (
    Estimate,
    exact,
    holm,
    over_images,
    over_seeds,
    p_value,
    unknown,
    worst,
)


@pytest.mark.parametrize("values", [[0.3, 0.5], [1.0, 1.1, 1.3, 0.9]])
def test_the_p_value_of_a_mean_over_trainings_is_that_of_the_t_test(values):
    for threshold in (0.2, 0.8, 1.5):
        expected = stats.ttest_1samp(values, threshold).pvalue
        assert p_value(over_seeds(values, None), threshold) == pytest.approx(expected, rel=1e-5)


def test_p_is_below_5_percent_just_where_the_interval_excludes_the_threshold():
    found = over_images(np.random.default_rng(0).random((3, 200)) < 0.3)
    low, high = found.interval
    for end, way in ((low, -1), (high, 1)):
        assert p_value(found, end + way * 1e-4) < 0.05 < p_value(found, end - way * 1e-4)
        assert p_value(found, end) == pytest.approx(0.05)
    assert p_value(found, found.value) == 1


def test_what_is_exact_has_no_error_and_what_is_unknown_no_p():
    toy = exact(0.75, 2)
    assert toy.interval == (0.75, 0.75) and toy.scope == "exact"
    assert (p_value(toy, 0.5), p_value(toy, 0.75)) == (0.0, 1.0)
    assert math.isnan(p_value(unknown(0.75, 1), 0.5))


def test_all_groups_must_lie_below_and_one_above_is_a_choice_among_them():
    groups = [over_seeds([0.1, 0.2, 0.15], None), over_seeds([0.3, 0.36, 0.33], None)]
    together = worst(groups, "max")
    assert together.value == pytest.approx(0.33)
    assert together.interval[1] == groups[1].interval[1]
    assert together.interval[0] == pytest.approx(groups[1].bounds(0.0125)[0])
    assert worst([groups[0]], "max").interval == groups[0].interval
    low, high = worst([one._replace(value=-one.value) for one in groups], "min").interval
    assert math.isfinite(low) and math.isfinite(high)


def test_the_interval_of_the_worst_group_holds_the_worst_true_value():
    """Also where all groups are alike, and the greatest of the estimates lies too high."""
    rng = np.random.default_rng(0)
    held = []
    for _ in range(600):
        groups = [over_images(rng.random((2, 150)) < 0.4) for _ in range(5)]
        low, high = worst(groups, "max").interval
        held.append(low <= 0.4 <= high)
    assert np.mean(held) > 0.94


def test_a_group_of_unknown_error_leaves_the_worst_unknown():
    groups = [over_seeds([0.1, 0.2], None), unknown(0.1, 2)]
    assert all(map(math.isnan, worst(groups, "max").interval)) and worst(groups, "max").scope == ""


def test_holms_p_values_are_those_of_the_textbook():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    found = holm([0.02, math.nan, 0.02])
    assert found[0] == found[2] == pytest.approx(0.04) and math.isnan(found[1])
    assert holm([]) == []


def test_holm_keeps_the_chance_of_any_false_decision_below_5_percent():
    rng = np.random.default_rng(0)
    false = [min(holm(rng.random(30))) < 0.05 for _ in range(2000)]
    assert np.mean(false) == pytest.approx(0.05, abs=0.015)


def test_an_interval_ends_where_the_value_must_and_one_that_is_not_known_stays_unknown():
    wide = Estimate(0.3, lambda tail: (-1.1, 1.6), "method", 2).clipped(0, 1)
    assert wide.interval == (0, 1) and (wide.value, wide.scope, wide.seeds) == (0.3, "method", 2)
    inner = Estimate(0.3, lambda tail: (0.2, 0.4), "method", 2).clipped(0, 1)
    assert inner.interval == (0.2, 0.4)
    assert all(map(math.isnan, unknown(0.3, 2).clipped(0, 1).interval))
