import numpy as np
import pytest
from numpy.polynomial import chebyshev
from scipy.optimize import linprog

from robustinfo.maths import minimax

DEGREES = range(1, 23)


def lobe_peaks(degree):
    """The error's extremum of every lobe, on a grid that the code under test does not use."""
    coefficients, _ = minimax.neg_xlogx(degree)
    u = np.sin(np.linspace(0, np.pi / 2, 300_001)) ** 2
    target = -u * np.log(np.where(u > 0, u, 1))
    errors = target - chebyshev.chebval(2 * u - 1, coefficients)
    lobes = np.split(errors, np.flatnonzero(np.diff(np.sign(errors))) + 1)
    return np.array([lobe[np.abs(lobe).argmax()] for lobe in lobes])


@pytest.mark.parametrize("degree", DEGREES)
def test_the_error_is_greatest_with_alternating_sign_at_degree_plus_two_points(degree):
    peaks = lobe_peaks(degree)
    assert len(peaks) == degree + 2
    assert (peaks[:-1] * peaks[1:] < 0).all()
    _, greatest = minimax.neg_xlogx(degree)
    np.testing.assert_allclose(np.abs(peaks), greatest, rtol=1e-6)


def test_the_best_line_errs_by_one_over_two_e():
    coefficients, greatest = minimax.neg_xlogx(1)
    assert greatest == pytest.approx(1 / (2 * np.e))
    np.testing.assert_allclose(coefficients, [1 / (2 * np.e), 0], atol=1e-12)  # -u ln u <= 1/e


@pytest.mark.parametrize("degree", [4, 8])
def test_linear_programming_on_a_dense_grid_finds_the_same_polynomial(degree):
    u = np.sin(np.linspace(0, np.pi / 2, 4001)) ** 2
    target = -u * np.log(np.where(u > 0, u, 1))
    basis = chebyshev.chebvander(2 * u - 1, degree)
    slack = np.ones((len(u), 1))
    found = linprog(  # least E with |target - basis @ coefficients| <= E
        c=[0] * (degree + 1) + [1],
        A_ub=np.block([[basis, -slack], [-basis, -slack]]),
        b_ub=np.concatenate([target, -target]),
        bounds=(None, None),
    )
    coefficients, greatest = minimax.neg_xlogx(degree)
    assert greatest == pytest.approx(found.fun, rel=1e-4)
    np.testing.assert_allclose(coefficients, found.x[:-1], atol=1e-5)


def test_the_error_falls_with_the_square_of_the_degree():
    errors = np.array([minimax.neg_xlogx(degree)[1] for degree in (11, 22)])
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.1)


def test_a_degree_below_one_is_an_error():
    with pytest.raises(ValueError, match="degree 0"):
        minimax.neg_xlogx(0)
