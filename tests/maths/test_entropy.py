from fractions import Fraction
from math import ceil, log, prod

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial import chebyshev
from scipy import stats

from robustinfo.maths import entropy, minimax
from robustinfo.maths.entropy import jvhw_bits, plug_in_bits, run_counts


def draws(symbols, samples, rows):
    generator = torch.Generator().manual_seed(0)
    return run_counts(torch.randint(symbols, (rows, samples), generator=generator))


def slow_jvhw_bits(counts):
    """One image, one symbol at a time, in exact fractions."""
    n, f1 = sum(counts), counts.count(1)
    degree = min(4 + ceil(1.2 * log(n)), 22) if n else 0
    use_polynomial = f1 > 0 and n >= degree
    if use_polynomial:
        c = max(0.3303 * log(n / f1) + 0.4679, 1 / (1.9 * log(n)))
        if n >= 200 and log(n / f1) <= 1.5:
            c = -0.5306 * log(n / f1) ** 2 + 1.0979 * log(n / f1) + 0.1848
        t = 4 * c * log(n) / n
        powers = [
            float(power)
            for power in exact_powers([Fraction(x) for x in minimax.neg_xlogx(degree)[0]])
        ]
    nats = 0.0
    for x in counts:
        if x == 0:
            continue
        p = x / n
        value = -p * log(p) + 1 / (2 * n)
        if use_polynomial and p < t:
            exact = sum(
                Fraction(power)
                * Fraction(
                    prod(range(x - k + 1, x + 1)) if k <= x else 0, prod(range(n - k + 1, n + 1))
                )
                / Fraction(t) ** k
                for k, power in enumerate(powers)
            )
            polynomial = t * float(exact) - p * log(t)
            blend = min(max(2 * p / t - 1, 0), 1)
            value = blend * value + (1 - blend) * polynomial
        nats += max(value, 0)
    return nats / log(2)


def exact_powers(coefficients):
    """Of sum_j coefficients_j T_j(2u - 1), on powers of u."""
    line = np.array([Fraction(-1), Fraction(2)], dtype=object)
    before, current = np.array([Fraction(1)], dtype=object), line
    total = np.array([Fraction(0)] * len(coefficients), dtype=object)
    total[0] += coefficients[0]
    for coefficient in coefficients[1:]:
        total[: len(current)] += coefficient * current
        following = 2 * np.convolve(line, current)
        following[: len(before)] -= before
        before, current = current, following
    return total


@given(st.lists(st.lists(st.integers(-3, 300), min_size=7, max_size=7), min_size=1, max_size=5))
def test_run_counts_are_those_of_numpy_unique(rows):
    counts = run_counts(torch.tensor(rows))
    for row, found in zip(rows, counts.tolist(), strict=True):
        expected = np.unique(row, return_counts=True)[1].tolist()
        assert found == expected + [0] * (counts.shape[1] - len(expected))


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=30).filter(any))
def test_the_plug_in_entropy_is_that_of_scipy(counts):
    expected = stats.entropy(counts, base=2)
    assert plug_in_bits(torch.tensor(counts)).item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("symbols", [1, 2, 256, 1000])
def test_equal_counts_of_k_symbols_have_log2_k_bits(symbols):
    assert plug_in_bits(torch.full((symbols,), 5)).item() == pytest.approx(np.log2(symbols))


def test_the_plug_in_entropy_of_a_constant_or_of_nothing_is_zero():
    assert plug_in_bits(torch.tensor([[[784, 0], [0, 0]]])).tolist() == [[0, 0]]


@pytest.mark.parametrize("estimate", [plug_in_bits, jvhw_bits])
def test_unobserved_symbols_and_the_order_of_symbols_do_not_matter(estimate):
    counts = draws(symbols=256, samples=784, rows=3)
    padded = torch.cat([torch.zeros(3, 50, dtype=torch.int64), counts.flip(1)], dim=1)
    torch.testing.assert_close(estimate(padded), estimate(counts))


@pytest.mark.parametrize("estimate", [plug_in_bits, jvhw_bits])
def test_negative_counts_are_an_error(estimate):
    with pytest.raises(ValueError, match="-2"):
        estimate(torch.tensor([[3, -2]]))


def test_the_mean_plug_in_entropy_of_256_equiprobable_symbols_is_its_exact_expectation():
    x = np.arange(1, 785)
    expected = -256 * (stats.binom.pmf(x, 784, 1 / 256) * x / 784 * np.log2(x / 784)).sum()
    assert expected == pytest.approx(7.745, abs=0.002)
    mean = plug_in_bits(draws(symbols=256, samples=784, rows=2000)).mean().item()
    assert mean == pytest.approx(expected, abs=0.002)


def test_jvhw_of_256_equiprobable_symbols_in_784_samples_is_near_8_bits():
    bits = jvhw_bits(draws(symbols=256, samples=784, rows=2000))
    assert bits.mean().item() == pytest.approx(7.97, abs=0.005)


def test_jvhw_of_1024_equiprobable_symbols_in_1024_samples_is_near_10_bits():
    bits = jvhw_bits(draws(symbols=1024, samples=1024, rows=2000))
    assert bits.mean().item() == pytest.approx(9.98, abs=0.015)
    assert bits.std().item() == pytest.approx(0.08, abs=0.01)


def test_jvhw_of_a_constant_is_its_correction_alone():
    bits = jvhw_bits(torch.tensor([[784, 0], [0, 0]]))
    np.testing.assert_allclose(bits, [1 / (2 * 784 * log(2)), 0])
    assert bits[0].item() == pytest.approx(0.001, abs=1e-4)


@pytest.mark.parametrize("counts", [[2, 3, 779], [1, 1, 2]], ids=["no singletons", "few samples"])
def test_jvhw_falls_back_to_the_corrected_plug_in(counts):
    counts = torch.tensor([counts])
    corrected = plug_in_bits(counts) + 3 / (2 * counts.sum() * log(2))
    torch.testing.assert_close(jvhw_bits(counts), corrected)


@pytest.mark.parametrize("symbols, samples", [(256, 784), (1024, 1024), (20, 100), (5, 12), (3, 5)])
def test_jvhw_is_that_of_a_slow_twin_in_exact_fractions(symbols, samples):
    counts = draws(symbols, samples, rows=4)
    expected = [slow_jvhw_bits(row) for row in counts.tolist()]
    np.testing.assert_allclose(jvhw_bits(counts), expected, rtol=1e-9)


def test_jvhw_serves_items_of_different_sample_sizes_at_once():
    rows = [[1] * 50 + [3] * 60, [1] * 3 + [40] * 5 + [0] * 102, [1, 2] + [0] * 108, [1] * 110]
    one_by_one = [slow_jvhw_bits(row) for row in rows]
    np.testing.assert_allclose(jvhw_bits(torch.tensor(rows)), one_by_one, rtol=1e-9)


def test_jvhw_of_no_items_is_empty():
    assert jvhw_bits(torch.zeros(0, 4)).shape == (0,)


@pytest.mark.parametrize("n, degree", [(100, 10), (784, 12), (3072, 14), (150_528, 19)])
def test_the_polynomial_is_estimated_without_bias(n, degree):
    threshold = 12 * log(n) / n
    coefficients, greatest = minimax.neg_xlogx(degree)
    counts = np.arange(min(n, ceil(n * threshold) * 3) + 1)
    for u in (0.0, 0.1, 0.3, 0.5):
        p = u * threshold
        estimates = entropy._unbiased(counts, n, threshold, degree)
        mean = (stats.binom.pmf(counts, n, p) * estimates).sum()
        exact = threshold * chebyshev.chebval(2 * u - 1, coefficients) - p * log(threshold)
        assert mean == pytest.approx(exact, rel=1e-6)
        plain = -p * log(p) if p else 0
        assert abs(mean - plain) <= threshold * greatest * (1 + 1e-4)
