"""Paired outcomes on the same n images: McNemar's exact test, and Tango's score interval.

Tango (1998), Statistics in Medicine 17, 891-908: the interval of P(only the one is right) - P(only
the other is) is every difference that the score test does not reject. It keeps its coverage with
few images that tell the two apart, and has a width where there is none.
"""

import math

from scipy.special import bdtr, ndtri

from robustinfo.maths.statistics.fractions import TAIL


def mcnemar(b: int, c: int) -> float:
    """The two-sided p of McNemar (1947), exact: b of one kind and c of the other are even chances.

    b: images where only the first succeeds, c: where only the second does. The others say nothing,
    and where there are no such images, p is 1.
    """
    return min(1.0, 2 * float(bdtr(min(b, c), b + c, 0.5)))


def paired_difference(won: int, lost: int, n: int, tail: float = TAIL) -> tuple[float, float]:
    """Interval of (won - lost) / n, by how much one of two does better on the same n images.

    won, lost: on how many images only the one, or only the other, is right. Tango's, reaching to 0
    where McNemar's exact test, which is the stricter of the two, cannot tell them apart: 0 lies
    outside just where its two-sided p is below 2 tail.
    """
    low, high = tango(won, lost, n, tail)
    if mcnemar(won, lost) < 2 * tail:
        return low, high
    return min(low, 0.0), max(high, 0.0)


def tango(won: float, lost: float, n: float, tail: float = TAIL) -> tuple[float, float]:
    """Tango's interval; as in ``fraction_interval``, the counts need not be whole.

    Where won and lost are 0, it reaches z^2 / (n + z^2) to both sides.
    """
    z2 = float(ndtri(tail)) ** 2
    observed = (won - lost) / n

    from scipy.optimize import brentq  # slow to import

    def score_excess(difference: float) -> float:
        """Below 0 where the score test with the critical value z does not reject it."""
        room = difference * (1 - difference)
        b = (2 * n - won + lost) * difference - won - lost
        # The likeliest P(only the other is right), given the difference.
        p_lost = (math.sqrt(max(b * b + 8 * n * lost * room, 0.0)) - b) / (4 * n)
        return (won - lost - n * difference) ** 2 - z2 * n * (2 * p_lost + room)

    def end(limit: float) -> float:
        # At ``observed`` itself the two terms may both be 0.
        inside = observed + 1e-9 * (limit - observed)
        if abs(limit - observed) < 1e-9 or score_excess(inside) >= 0:
            return observed
        return (
            limit if score_excess(limit) <= 0 else brentq(score_excess, inside, limit, xtol=1e-13)
        )

    return end(-1.0), end(1.0)
