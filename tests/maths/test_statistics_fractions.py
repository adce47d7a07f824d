"""Intervals of fractions and of paired differences, against closed forms and other libraries."""

import math
from math import comb

import numpy as np
import pytest
from scipy import stats

from robustinfo.maths.statistics import (
    fraction_interval,
    images_needed,
    mcnemar,
    paired_difference,
    tango,
)

Z2 = stats.norm.ppf(0.975) ** 2


@pytest.mark.parametrize(
    "hits, n", [(0, 10), (1, 10), (5, 10), (10, 10), (37, 500), (9_999, 10_000)]
)
def test_the_interval_of_a_fraction_is_scipys_wilson(hits, n):
    expected = stats.binomtest(hits, n).proportion_ci(0.95, method="wilson")
    assert fraction_interval(hits, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_it_never_leaves_out_what_was_seen_and_always_has_a_width():
    for n in (1, 3, 450, 10_000):
        for hits in range(0, n + 1, max(1, n // 7)):
            low, high = fraction_interval(hits, n)
            assert 0 <= low <= hits / n <= high <= 1 and high > low
    assert fraction_interval(0, 100) == pytest.approx((0, Z2 / (100 + Z2)))
    assert fraction_interval(0, 0) == (0, 1)


def test_none_of_64_needs_381_images_to_be_surely_below_one_percent():
    assert images_needed(0, 64, 0.01, "below") == 381


@pytest.mark.parametrize(
    "k, n, threshold", [(0, 64, 0.01), (1, 64, 0.05), (7, 10, 0.5), (3, 9, 0.3)]
)
def test_the_images_needed_settle_it_and_one_less_does_not(k, n, threshold):
    side = "below" if k / n < threshold else "above"
    needed = images_needed(k, n, threshold, side)

    def settled(images):
        low, high = fraction_interval(k / n * images, images)
        return high <= threshold if side == "below" else low >= threshold

    assert settled(needed) and not settled(needed - 1)


def test_no_number_of_images_settles_a_rate_on_the_other_side_or_at_the_threshold():
    assert images_needed(5, 10, 0.5, "below") is images_needed(5, 10, 0.5, "above") is None
    assert images_needed(6, 10, 0.5, "below") is None and images_needed(0, 10, 0.0, "below") is None


def test_without_an_image_that_tells_them_apart_p_is_one():
    assert mcnemar(0, 0) == 1


@pytest.mark.parametrize("b, c", [(5, 3), (1, 9), (12, 4), (7, 7), (30, 51), (8, 0)])
def test_mcnemars_p_is_twice_the_tail_of_the_binomial_distribution(b, c):
    tail = sum(comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c)
    assert mcnemar(b, c) == mcnemar(c, b) == pytest.approx(min(1, 2 * tail))


def score(won, lost, n, difference):
    """Tango's statistic, with the likeliest share of lost images found by trying them all."""
    least = np.linspace(max(0, -difference), (1 - difference) / 2, 400_001)[1:-1]
    agree = 1 - 2 * least - difference
    likely = (
        won * np.log(least + difference) + lost * np.log(least) + (n - won - lost) * np.log(agree)
    )
    best = least[likely.argmax()]
    return (won - lost - n * difference) / math.sqrt(n * (2 * best + difference * (1 - difference)))


@pytest.mark.parametrize("won, lost, n", [(5, 3, 40), (8, 0, 100), (0, 4, 30), (30, 25, 90)])
def test_each_end_of_tangos_interval_is_where_the_score_test_just_rejects(won, lost, n):
    low, high = tango(won, lost, n)
    assert score(won, lost, n, low) == pytest.approx(1.96, abs=2e-3)
    assert score(won, lost, n, high) == pytest.approx(-1.96, abs=2e-3)


@pytest.mark.parametrize("n", [1, 20, 450])
def test_where_nothing_tells_two_apart_the_interval_is_what_n_images_allow(n):
    reach = Z2 / (n + Z2)
    assert paired_difference(0, 0, n) == pytest.approx((-reach, reach))


def test_it_is_antisymmetric_and_holds_what_was_seen_up_to_every_image():
    for won, lost, n in [(3, 1, 9), (0, 6, 50), (10, 0, 10), (0, 0, 4), (5, 5, 10)]:
        low, high = paired_difference(won, lost, n)
        assert -1 <= low <= (won - lost) / n <= high <= 1
        assert paired_difference(lost, won, n) == pytest.approx((-high, -low), abs=1e-9)


@pytest.mark.parametrize("agree", [0, 50])
def test_no_difference_lies_outside_just_where_mcnemars_test_says_so(agree):
    for won in range(14):
        for lost in range(14):
            low, high = paired_difference(won, lost, max(1, won + lost + agree))
            assert (not low <= 0 <= high) == (mcnemar(won, lost) < 0.05)


@pytest.mark.parametrize(
    "only_one, only_other", [(0.3, 0.02), (0.02, 0.02), (0.1, 0.05), (0.04, 0)]
)
def test_it_covers_the_true_difference_95_times_in_100(only_one, only_other):
    rng = np.random.default_rng(0)
    n, shares = 150, [only_one, only_other, 1 - only_one - only_other]
    draws = rng.multinomial(n, shares, size=1500)
    known = {pair: paired_difference(*pair, n) for pair in {(int(b), int(c)) for b, c, _ in draws}}
    intervals = [known[int(b), int(c)] for b, c, _ in draws]
    covered = np.mean([low <= only_one - only_other <= high for low, high in intervals])
    assert 0.93 < covered < 0.995
