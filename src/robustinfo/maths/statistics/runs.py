"""The mean of a method, over trainings and over images, from a few seeds that share one test set.

Two variances: A, of the mean of the seeds' values (the squared spread between them, by S), and B,
of the images. Each has a critical value: Student's t of S - 1 degrees of freedom, and the normal
z. Cochran and Cox (Experimental Designs, 1950) weigh them by the variances: the interval reaches
(t A + z B) / sqrt(A + B). B is what the images' interval says at each end (Wilson's, Tango's), so
that nothing is of zero width where all images agree.

B counts only the part of an image's variance that is alike for every seed, for the rest is in A.
With the outcome of every image (two-way layout of seeds and images, one observation a cell: Brennan
2001, Generalizability Theory) that part is estimated. Without, it is taken as SHARED, and the
interval is never narrower than that of the images of one network, which alone is known. Of a
difference of fractions, whose images are not paired, it is wider than it need be.

Coverage in % of the method's mean by the nominal 95 %, least and greatest over n of 150, 1,000 and
10,000 and a spread between trainings of 0 to 4 points, at a mean of 41 %, 800 draws each
(``python -m benchmarks.coverage --repetitions 800``). ``alike``: how alike the seeds err, from each
on images of its own (0) to all on the same (1); measured networks are at about 0.8.

                            seeds  alike 0      0.6          0.8          0.9          1
    outcome of every image  2      92.1-95.9    93.5-97.6    93.1-98.5    93.6-98.4    93.2-98.5
                            3      93.4-97.5    94.6-97.6    94.1-97.8    94.1-97.8    93.9-98.0
                            5      94.4-97.5    94.9-96.8    94.0-96.8    94.4-97.1    94.1-97.2
    fractions               2      91.4-100     93.8-99.5    93.1-99.5    93.6-99.1    93.2-98.4
                            3      94.1-100     95.0-99.6    94.1-99.0    94.1-98.0    93.9-96.9
                            5      95.1-100     95.8-99.8    94.0-98.5    94.2-98.1    92.9-96.1
    difference, paired      2      92.8-96.2    92.9-97.2    93.5-97.1    92.5-96.6    93.0-96.4
                            3      94.9-97.4    94.9-97.6    94.6-97.5    94.4-97.6    93.4-96.8
                            5      94.4-98.4    94.8-98.2    94.1-98.4    94.4-97.9    93.1-96.2

Near 0 or 1, where a spread of 4 points is cut off, few seeds cover less: at a mean of 1 % two seeds
78 to 99 %, three 86 to 100 %, five 91 to 100 % (300 draws).

Tried, and not kept: Satterthwaite's t over both variances (85 % at two seeds, where the seeds
happen to agree), t and z in quadrature (above 99 % at two seeds), the greater of the two intervals
(down to 89 % at five seeds). Fractions alone cannot do better: seeds that err each for itself,
without any spread, leave the same fractions as seeds that err alike, with a spread.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri, stdtrit

from robustinfo.maths.statistics.estimates import Bounds, Estimate, unknown
from robustinfo.maths.statistics.fractions import fraction_interval
from robustinfo.maths.statistics.paired import tango

# Of small networks on MNIST, plain, under PGD, three seeds: 0.63 when clean, 0.6 at 20 to 65 %.
SHARED = 0.6
LEAST_SHARED = 0.05  # networks of one task find the same images hard, at least a little
FEW = 4  # informative images at which SHARED has half of the weight, where the estimate is less


def over_images(outcomes: np.ndarray, against: np.ndarray | None = None) -> Estimate:
    """The mean of outcomes, or of outcomes - against, from the outcome of every image.

    outcomes: (S, n) one row per seed, all of the same images in the same order: 0 or 1, or any
    number. against: the same of what it is compared with, row by row: another defence, or another
    attack on the same networks. Raises ValueError if the shapes differ.
    """
    scores = np.asarray(outcomes, dtype=float)
    binary = _binary(scores)
    if against is not None:
        other = np.asarray(against, dtype=float)
        if other.shape != scores.shape:
            raise ValueError(f"outcomes of {scores.shape} against {other.shape} (seeds, images)")
        binary &= _binary(other)
        scores = scores - other
    n = scores.shape[1]
    mean, variance = float(scores.mean()), float(scores.var())
    effective = n / _shared_part(scores)  # as many images, each of this variance

    def bounds(tail: float) -> tuple[float, float]:
        if not binary:
            error = math.sqrt(variance * n / (n - 1) / effective)
            half_width = -float(stdtrit(n - 1, tail)) * error
            return mean - half_width, mean + half_width
        if against is None:
            return fraction_interval(mean * effective, effective, tail)
        won, lost = ((sign * scores > 0).mean() * effective for sign in (1, -1))
        return tango(won, lost, effective, tail)

    known = binary or (variance > 0 and n > 1)
    return over_seeds(scores.mean(1), bounds if known else None, shared=1.0)


def over_seeds(
    values: Sequence[float], images: Bounds | None, *, shared: float = SHARED
) -> Estimate:
    """The mean of one value per seed.

    images: its bounds over images if all seeds vary with the images alike; None: unknown.
    shared: the part of that variance that all seeds have in common.

    One seed gives the interval of its network alone. Without ``images``, the interval is Student's
    over the trainings, on these very images; and none where the seeds do not differ, for then
    neither error is known.
    """
    seed_values = np.asarray(values, dtype=float)
    mean, seeds = float(seed_values.mean()), len(seed_values)
    equal = np.ptp(seed_values) <= 1e-9 * max(1.0, float(np.abs(seed_values).max()))
    if images is None and (seeds < 2 or equal):
        return unknown(mean, seeds)
    if images is not None and seeds < 2:
        return Estimate(mean, images, "network", seeds)
    between = 0.0 if equal else float(seed_values.var(ddof=1)) / seeds

    def bounds(tail: float) -> tuple[float, float]:
        t, z = -float(stdtrit(seeds - 1, tail)), -float(ndtri(tail))
        low, high = (mean, mean) if images is None else images(tail)

        def half_width(end: float) -> float:
            of_images = shared * ((end - mean) / z) ** 2
            together = between + of_images
            both = (t * between + z * of_images) / math.sqrt(together) if together else 0.0
            return max(both, abs(end - mean))

        return (
            low if math.isinf(low) else mean - half_width(low),
            high if math.isinf(high) else mean + half_width(high),
        )

    return Estimate(mean, bounds, "training" if images is None else "method", seeds)


def _shared_part(scores: np.ndarray) -> float:
    """The part of the variance over images that all seeds share: (S, n) -> in [0.05, 1].

    Two seeds that each fail on one image of 450, and not the same, are no evidence of independent
    errors: few informative images cannot lower SHARED by much.
    """
    seeds, n = scores.shape
    variance = scores.var()
    if seeds < 2 or n < 2 or variance == 0:
        return 1.0
    of_images = seeds * scores.mean(0).var(ddof=1)
    of_seeds = n * scores.mean(1).var(ddof=1)
    rest = scores.size * variance - (n - 1) * of_images - (seeds - 1) * of_seeds
    rest /= (n - 1) * (seeds - 1)
    estimate = float(np.clip((of_images - rest) / (seeds * variance), LEAST_SHARED, 1.0))
    informative = int((scores != np.median(scores)).any(0).sum())
    return max(estimate, (informative * estimate + FEW * SHARED) / (informative + FEW))


def _binary(scores: np.ndarray) -> bool:
    return bool(((scores == 0) | (scores == 1)).all())
