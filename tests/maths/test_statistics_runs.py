"""The mean over seeds and images, and what it is put together from."""

import math

import numpy as np
import pytest
from scipy import stats

from robustinfo.maths.statistics import (
    fraction_interval,
    images,
    over_images,
    over_seeds,
    p_value,
    student,
    tango,
)


def test_one_seed_speaks_of_its_network_alone_by_wilson_or_tango():
    outcomes = np.array([[1, 0, 1, 1, 0, 1, 1, 1]])
    alone = over_images(outcomes)
    assert alone.scope == "network" and alone.interval == fraction_interval(6, 8)
    other = np.array([[0, 0, 1, 1, 1, 1, 1, 0]])
    assert over_images(outcomes, other).interval == pytest.approx(tango(2, 1, 8))


def test_seeds_that_agree_on_every_image_are_worth_one_and_their_interval_is_wilsons():
    row = np.arange(200) < 130
    found = over_images(np.array([row] * 4))
    assert found.scope == "method"
    assert found.interval == pytest.approx(fraction_interval(130, 200))


@pytest.mark.parametrize("seeds, each", [(2, 1), (2, 2), (3, 1)])
def test_few_images_that_tell_are_no_evidence_that_seeds_err_each_for_itself(seeds, each):
    """Each seed leaves so many images of 450, and none the same. They were taken for 9,000 outcomes
    that know nothing of each other; there are 450 per seed, and they count for at most twice that.
    """
    outcomes = np.zeros((seeds, 450))
    for seed in range(seeds):
        outcomes[seed, seed * each : (seed + 1) * each] = 1
    low, high = over_images(outcomes).interval
    least = fraction_interval(2 * seeds * each, 2 * seeds * 450)
    assert high - low > least[1] - least[0]


def test_where_images_are_without_number_the_interval_is_students():
    shares = np.array([0.4, 0.44, 0.46])
    found = over_seeds(shares, images.from_fractions(shares, 10**12))
    assert found.interval == pytest.approx(student(shares), abs=1e-6)


def test_the_two_critical_values_are_weighed_by_the_variances():
    values = np.array([1.0, 1.4])
    bounds = lambda tail: (1.2 + 0.3 * stats.norm.ppf(tail), math.inf)  # noqa: E731
    found = over_seeds(values, bounds, shared=0.5)
    between, within = np.var(values, ddof=1) / 2, 0.3**2 / 2
    t, z = stats.t.ppf(0.975, 1), stats.norm.ppf(0.975)
    reach = (t * between + z * within) / math.sqrt(between + within)
    assert found.interval == (pytest.approx(1.2 - reach), math.inf)


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_equal_seeds_never_have_an_interval_narrower_than_their_images(value):
    found = over_seeds([value, value], images.from_fractions([value, value], 450))
    assert found.interval == pytest.approx(fraction_interval(450 * value, 450))
    assert found.interval[1] - found.interval[0] > 0.005


@pytest.mark.parametrize("values", [[2.0, 2.0], [-0.02, -0.02 + 1e-16], [7.0]])
def test_equal_seeds_of_which_nothing_else_is_known_have_no_interval(values):
    found = over_seeds(values, None)
    assert found.scope == "" and all(map(math.isnan, found.interval))
    assert math.isnan(p_value(found, 0.0))


def test_without_the_images_part_the_interval_speaks_of_trainings_and_is_students():
    found = over_seeds([1.0, 3.0, 2.5], None)
    assert found.scope == "training" and found.interval == pytest.approx(student([1.0, 3.0, 2.5]))


def test_an_own_interval_without_width_counts_as_none():
    assert images.from_intervals([1.0, 1.0], [1.0, 1.0], [1.0, 1.0]) is None
    assert images.from_intervals([1.0], [math.nan], [math.nan]) is None


def test_real_numbers_of_every_image_get_students_interval_over_the_images():
    margins = np.array([[0.2, 1.5, -0.3, 0.9, 2.0]])
    assert over_images(margins).interval == pytest.approx(student(margins[0]))


def test_networks_of_other_images_are_not_compared():
    with pytest.raises(ValueError, match=r"\(2, 5\) against \(2, 4\)"):
        over_images(np.ones((2, 5)), np.ones((2, 4)))


def test_a_difference_of_fractions_is_newcombes_of_1998():
    """Table II of his article: 56/70 - 48/80 by method 10 is 0.0524 to 0.3339."""
    of, against = (
        lambda tail, k=k, n=n: fraction_interval(k, n, tail) for k, n in ((56, 70), (48, 80))
    )
    low, high = images.difference(56 / 70, of, 48 / 80, against)(0.025)
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=1e-4)


def test_a_ratio_covers_and_is_open_where_the_divisor_may_be_zero():
    rng = np.random.default_rng(0)

    def bounds(value, error):
        return lambda tail: (
            value + error * stats.norm.ppf(tail),
            value - error * stats.norm.ppf(tail),
        )

    held = []
    for one, other in zip(rng.normal(2, 0.2, 1000), rng.normal(5, 0.5, 1000), strict=True):
        low, high = images.ratio(one, bounds(one, 0.2), other, bounds(other, 0.5))(0.025)
        held.append(low <= 2 / 5 <= high)
    assert np.mean(held) == pytest.approx(0.95, abs=0.02)
    assert images.ratio(1.0, bounds(1.0, 0.1), 1.0, bounds(1.0, 0.9))(0.025) == (
        -math.inf,
        math.inf,
    )
