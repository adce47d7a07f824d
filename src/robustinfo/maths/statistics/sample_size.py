"""How many images, or seeds, it takes to see a difference between two networks, or two methods.

Images: both networks on the same n images, and McNemar's exact test of those that only one of them
has right, as ``paired`` decides. Given the discordance psi, the fraction of images that only one
has right, and d, the difference of the two accuracies, their number is binomial (n, psi), and the
one wins each with chance (1 + d / psi) / 2. The power is summed over both (Duffy 1984, Biometrics
40, 1005-1015). The normal approximation (Connor 1987, Biometrics 43, 207-211),
n = (z_a sqrt(psi) + z_b sqrt(psi - d^2))^2 / d^2, is that of the uncorrected test, and some percent
below.

Seeds: each method trained with the same S seeds, and Student's test of the S differences, whose
standard deviation over seeds is s. Its power is that of the noncentral t of S - 1 degrees of
freedom and noncentrality sqrt(S) d / s (Lehmann and Romano 2005, Testing Statistical Hypotheses,
section 5.2).

Both tests are two-sided.
"""

import math
from collections.abc import Callable

import numpy as np
from scipy.special import nctdtr, stdtrit

from robustinfo.maths.statistics.fractions import TAIL

POWER = 0.8
MOST = 2**24  # images or seeds


def images_to_tell_apart(difference: float, discordance: float, power: float = POWER) -> int | None:
    """The images of which a share ``power`` of all samples shows the difference, at 95 %.

    None where there can be none: no difference is larger than the discordance. Both are fractions.
    Raises ValueError for a difference or a power outside (0, 1), and where MOST are not enough.
    """
    _check(difference, power)
    if difference > discordance:
        return None
    return _least(lambda n: mcnemar_power(n, difference, discordance), power)


def seeds_to_tell_apart(difference: float, deviation: float, power: float = POWER) -> int:
    """The seeds of which a share ``power`` of all samples shows the difference, at 95 %.

    deviation: the standard deviation over seeds of the difference of the two methods. Raises
    ValueError for a difference or a power outside (0, 1), and where MOST are not enough.
    """
    _check(difference, power)
    return _least(lambda seeds: paired_t_power(seeds, difference, deviation), power)


def mcnemar_power(n: int, difference: float, discordance: float) -> float:
    """The chance that McNemar's exact test tells two networks apart on n images, at 95 %."""
    from scipy.stats import binom  # slow to import

    least, most = binom.ppf(1e-9, n, discordance), binom.isf(1e-9, n, discordance)
    discordant = np.arange(least, most + 1)
    chance = (1 + difference / discordance) / 2
    few = binom.ppf(TAIL, discordant, 0.5) - 1  # wins or losses, at most, that are significant
    seen = binom.cdf(few, discordant, chance)
    seen += binom.sf(discordant - few - 1, discordant, chance)
    return float(binom.pmf(discordant, n, discordance) @ seen)


def paired_t_power(seeds: int, difference: float, deviation: float) -> float:
    """The chance that Student's test sees the mean of so many differences, at 95 %."""
    if seeds < 2:
        return 0.0
    freedom, shift = seeds - 1, math.sqrt(seeds) * difference / deviation
    critical = -stdtrit(freedom, TAIL)
    return float(1 - nctdtr(freedom, shift, critical) + nctdtr(freedom, shift, -critical))


def _least(power_of: Callable[[int], float], power: float) -> int:
    """The number at which the power is reached, by halving; it need not rise at every step."""
    few, enough = 0, 1
    while power_of(enough) < power:
        if enough >= MOST:
            raise ValueError(f"more than {MOST:,} are needed")
        few, enough = enough, 2 * enough
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if power_of(middle) >= power else (middle, enough)
    return enough


def _check(difference: float, power: float) -> None:
    if not (0 < difference < 1 and 0 < power < 1):
        raise ValueError(f"difference {difference}, power {power}: both are between 0 and 1")
