"""The bound of a probability is that of scipy's test, and radii are those of the formula."""

import pytest
from scipy.stats import binomtest, norm

from robustinfo.maths.smoothing import certified_radius, clopper_pearson


@pytest.mark.parametrize("n", [1, 7, 100, 1000, 100_000])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.51, 0.99, 1.0])
@pytest.mark.parametrize("alpha", [0.001, 0.05])
def test_the_bound_of_a_probability_is_that_of_the_exact_test(n, share, alpha):
    count = round(share * n)
    exact = binomtest(count, n, alternative="greater").proportion_ci(1 - alpha, "exact").low
    assert clopper_pearson(count, n, alpha) == pytest.approx(exact, abs=1e-9)


def test_radii_are_those_of_the_paper():
    """Of 100,000 equal answers, at most 3.8 sigma; of hardly more than half, none."""
    most = certified_radius(100_000, 100_000, sigma=0.25, alpha=0.001)
    assert most == pytest.approx(0.25 * norm.ppf(0.001 ** (1 / 100_000)))
    assert most == pytest.approx(0.25 * 3.8, rel=0.01)
    assert certified_radius(510, 1000, sigma=0.25, alpha=0.001) is None
    assert certified_radius(0, 1000, sigma=0.25, alpha=0.001) is None
