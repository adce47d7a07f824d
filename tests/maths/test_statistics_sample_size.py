"""So many images, or seeds, show the difference in 80 % of all cases, and no fewer do."""

import math
from math import comb, sqrt

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import ttest_1samp

from robustinfo.maths.statistics import (
    images_to_tell_apart,
    mcnemar,
    paired_difference,
    seeds_to_tell_apart,
)
from robustinfo.maths.statistics.sample_size import MOST, mcnemar_power, paired_t_power

PAIRS = [(0.01, 0.02), (0.02, 0.05), (0.02, 0.2), (0.05, 0.05), (0.05, 0.1), (0.05, 0.4)]


@pytest.mark.parametrize("n, difference, discordance", [(60, 0.05, 0.3), (90, 0.1, 0.1)])
def test_the_power_of_mcnemar_is_the_sum_over_all_outcomes(n, difference, discordance):
    """Slow twin: every number of wins and losses, decided as ``mcnemar`` decides."""
    won, lost = (discordance + difference) / 2, (discordance - difference) / 2
    power = sum(
        comb(n, b) * comb(n - b, c) * won**b * lost**c * (1 - discordance) ** (n - b - c)
        for b in range(n + 1)
        for c in range(n + 1 - b)
        if mcnemar(b, c) < 0.05
    )
    assert mcnemar_power(n, difference, discordance) == pytest.approx(power, rel=1e-6)
    assert 0.05 < power < 0.9


@pytest.mark.parametrize("difference, discordance", PAIRS)
def test_it_is_the_least_number_of_images(difference, discordance):
    n = images_to_tell_apart(difference, discordance)
    less, power = (mcnemar_power(m, difference, discordance) for m in (n - 1, n))
    assert less < 0.8 <= power < 0.81


@pytest.mark.parametrize("difference, discordance", PAIRS[1:3] + PAIRS[4:])
def test_the_exact_test_needs_a_little_more_than_the_normal_approximation(difference, discordance):
    """Connor (1987)."""
    spread = sqrt(discordance - difference**2)
    approximate = ((ndtri(0.975) * sqrt(discordance) + ndtri(0.8) * spread) / difference) ** 2
    assert (
        approximate < images_to_tell_apart(difference, discordance) < approximate + 2 / difference
    )


def test_simulated_samples_show_the_difference_in_80_of_100_cases():
    """By the interval that the evaluation prints."""
    difference, discordance = 0.05, 0.1
    n = images_to_tell_apart(difference, discordance)
    chances = [(discordance + difference) / 2, (discordance - difference) / 2, 1 - discordance]
    draws = np.random.default_rng(0).multinomial(n, chances, size=4000)
    counts = {}
    for won, lost, _ in draws:
        counts[int(won), int(lost)] = counts.get((int(won), int(lost)), 0) + 1
    seen = sum(
        many for pair, many in counts.items() if not _contains_0(paired_difference(*pair, n))
    )
    assert seen / len(draws) == pytest.approx(0.8, abs=0.02)


def _contains_0(interval):
    low, high = interval
    return low <= 0 <= high


# TTestPower of statsmodels 0.15.0, alpha 0.05, power 0.8, two-sided: the number not yet rounded up.
STATSMODELS = {
    (0.01, 0.005): 4.22071858501904,
    (0.01, 0.01): 9.93785094105438,
    (0.01, 0.02): 33.36713118431779,
    (0.01, 0.04): 127.51583055155222,
    (0.05, 0.02): 3.5334294216645143,
    (0.05, 0.04): 7.171635237606984,
}


@pytest.mark.parametrize("difference, deviation", STATSMODELS)
def test_seeds_are_those_of_statsmodels(difference, deviation):
    wanted = math.ceil(STATSMODELS[difference, deviation])
    assert seeds_to_tell_apart(difference, deviation) == wanted


def test_the_power_of_student_s_test_is_that_of_statsmodels_and_of_simulated_seeds():
    assert paired_t_power(5, 0.02, 0.02) == pytest.approx(0.4013899173717948, rel=1e-9)
    draws = np.random.default_rng(0).normal(0.02, 0.02, size=(20_000, 5))
    assert (ttest_1samp(draws, 0, axis=1).pvalue < 0.05).mean() == pytest.approx(0.4014, abs=0.01)


def test_one_seed_shows_nothing():
    assert paired_t_power(1, 0.5, 0.001) == 0
    assert seeds_to_tell_apart(0.5, 0.001) == 2


def test_no_difference_is_larger_than_the_discordance():
    assert images_to_tell_apart(0.05, 0.04) is None


@pytest.mark.parametrize("difference, power", [(0, 0.8), (1, 0.8), (0.1, 1), (0.1, 0)])
def test_a_difference_or_power_that_is_none_is_an_error(difference, power):
    with pytest.raises(ValueError, match="both are between 0 and 1"):
        images_to_tell_apart(difference, 1.0, power)
    with pytest.raises(ValueError, match="both are between 0 and 1"):
        seeds_to_tell_apart(difference, 1.0, power)


def test_what_no_number_shows_is_an_error():
    with pytest.raises(ValueError, match=f"more than {MOST:,} are needed"):
        seeds_to_tell_apart(1e-6, 1.0)
