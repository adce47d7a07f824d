"""Best uniform polynomial approximation of -u ln u on [0, 1], by Remez exchange.

The polynomial p of degree K that minimises  max_u |-u ln u - p(u)|  is the one whose error takes
its maximum, with alternating sign, at K + 2 points (Chebyshev). Remez (1934): start from Chebyshev
points; solve for the polynomial whose error there is +E, -E, ...; move every point to the error's
extremum around it; repeat.

Nothing else can happen here: derivatives of -u ln u from the second on never change sign inside
(0, 1), so by Rolle the error has K + 1 zeros and K + 2 lobes, one extremum each. All of it is done
in the angle t, u = (1 - cos t) / 2, where the lobes are about equally wide.
"""

from functools import cache

import numpy as np
from numpy.polynomial import chebyshev

GRID = np.linspace(0, np.pi, 20_001)  # angles at which a lobe's extremum is looked for
MAX_EXCHANGES = 100
LEVEL = 1e-11  # relative spread of the error's extrema at which it counts as level


@cache
def neg_xlogx(degree: int) -> tuple[np.ndarray, float]:
    """Coefficients (degree + 1,) on the Chebyshev polynomials of 2u - 1, and the greatest error.

    In nats. Raises ValueError for a degree below 1, ArithmeticError if the error stays uneven.
    """
    if degree < 1:
        raise ValueError(f"no minimax polynomial of degree {degree!r}; it must be at least 1")
    angles = np.linspace(0, np.pi, degree + 2)
    for _ in range(MAX_EXCHANGES):
        coefficients, level = _levelled(angles)
        angles = _extrema(coefficients)
        errors = np.abs(error(coefficients, angles))
        if errors.max() - errors.min() <= LEVEL * errors.max():
            coefficients.flags.writeable = False  # the cache hands out one array to everybody
            return coefficients, abs(level)
    raise ArithmeticError(f"degree {degree}: error not level after {MAX_EXCHANGES} exchanges")


def error(coefficients: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """-u ln u minus the polynomial, at u = (1 - cos t) / 2 for angles t in [0, pi]."""
    u = np.sin(angles / 2) ** 2
    return -u * np.log(np.where(u > 0, u, 1)) - chebyshev.chebval(-np.cos(angles), coefficients)


def _levelled(angles: np.ndarray) -> tuple[np.ndarray, float]:
    """The polynomial whose error at the K + 2 angles is +E, -E, +E, ..., and E."""
    points = len(angles)
    signs = (-1.0) ** np.arange(points)
    basis = chebyshev.chebvander(-np.cos(angles), points - 2)  # (K + 2, K + 1)
    solution = np.linalg.solve(np.column_stack([basis, signs]), error(np.zeros(1), angles))
    return solution[:-1], solution[-1]


def _extrema(coefficients: np.ndarray) -> np.ndarray:
    """The angle of the greatest error of each lobe: the grid's, refined by a parabola."""
    errors = error(coefficients, GRID)
    lobes = np.split(np.arange(len(GRID)), np.flatnonzero(np.diff(np.sign(errors))) + 1)
    peaks = np.array([lobe[np.abs(errors[lobe]).argmax()] for lobe in lobes])
    inner = peaks[1:-1]  # the first and last peak are the ends 0 and 1
    before, at, after = errors[inner - 1], errors[inner], errors[inner + 1]
    angles = GRID[peaks]
    angles[1:-1] += (GRID[1] / 2) * (before - after) / (before - 2 * at + after)
    return angles
