"""What a number rests on, against scipy and what can be counted by hand."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from robustinfo.core.measurement import Measurement, count_fraction, exact, fraction, mean
from robustinfo.maths.statistics import fraction_interval


def test_a_fraction_counts_the_mask_of_all_or_of_more_images():
    mask = torch.tensor([True, False, True, True])
    assert fraction("share", mask) == Measurement("share", 3 / 4, "fraction", 4)
    assert fraction("share", mask, total=12) == Measurement("share", 3 / 12, "fraction", 12)


@pytest.mark.parametrize(("k", "n"), [(0, 150), (1, 3), (149, 150), (41, 100), (7, 7)])
def test_a_fraction_hands_on_what_scipy_needs_for_wilsons_interval(k, n):
    one = count_fraction("share", k, n)
    assert (one.interval, one.n, one.low, one.high) == ("fraction", n, None, None)
    expected = stats.binomtest(round(one.value * one.n), one.n).proportion_ci(method="wilson")
    own = fraction_interval(round(one.value * one.n), one.n)
    assert own == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_a_fraction_of_no_image_is_nan_and_not_an_error():
    for one in (count_fraction("share", 0, 0), fraction("share", torch.zeros(0, dtype=torch.bool))):
        assert math.isnan(one.value) and (one.interval, one.n) == ("fraction", 0)


def test_what_is_exact_has_no_interval_and_need_not_be_of_images():
    assert exact("attacks", 3) == Measurement("attacks", 3, "exact", None, None, None)
    assert exact("gap", 0.5, 8).n == 8


@pytest.mark.parametrize("n", [2, 5, 400])
def test_the_interval_of_a_mean_is_scipys_of_a_normal_mean(n):
    values = torch.randn(n, generator=torch.Generator().manual_seed(n)) + 3
    one = mean("loss", values)
    each = values.double().numpy()
    expected = stats.norm.interval(0.95, each.mean(), stats.sem(each))
    assert (one.quantity, one.interval, one.n) == ("loss", "own", n)
    assert one.value == pytest.approx(np.mean(each), rel=1e-12)
    assert (one.low, one.high) == pytest.approx(expected, abs=1e-4 * np.std(each))


def test_a_mean_of_whole_numbers_is_no_whole_number():
    assert mean("bytes", torch.tensor([1, 2], dtype=torch.int32)).value == 1.5


@pytest.mark.parametrize(("values", "value"), [([0.25], 0.25), ([], math.nan)])
def test_of_fewer_than_two_images_nothing_is_known_of_the_error(values, value):
    one = mean("loss", torch.tensor(values))
    assert one == Measurement("loss", pytest.approx(value, nan_ok=True), "unknown", len(values))


def test_whoever_says_nothing_of_its_error_knows_nothing_of_it():
    one = Measurement("hsic", 0.1)
    assert one.interval == "unknown" and one.saturated is None and one.ceiling is None
