from math import comb

import pytest

from robustinfo.maths.mcnemar import mcnemar


def test_without_an_image_that_tells_them_apart_p_is_one():
    assert mcnemar(0, 0) == 1


@pytest.mark.parametrize("n", [1, 2, 5, 10, 40])
def test_where_all_images_are_on_one_side_p_is_two_tosses_of_the_same_coin(n):
    assert mcnemar(n, 0) == mcnemar(0, n) == pytest.approx(2 * 0.5**n)


@pytest.mark.parametrize("b, c", [(5, 3), (1, 9), (12, 4), (7, 7), (30, 51)])
def test_it_is_twice_the_tail_of_the_binomial_distribution(b, c):
    tail = sum(comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c)
    assert mcnemar(b, c) == mcnemar(c, b) == pytest.approx(min(1, 2 * tail))


def test_it_is_that_of_statsmodels():
    tables = pytest.importorskip("statsmodels.stats.contingency_tables")
    for b, c in [(5, 3), (1, 9), (12, 4), (0, 6)]:
        expected = tables.mcnemar([[10, b], [c, 20]], exact=True).pvalue
        assert mcnemar(b, c) == pytest.approx(expected)
