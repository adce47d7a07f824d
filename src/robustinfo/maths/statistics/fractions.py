"""Fractions of images: Wilson's score interval (1927), and the number of images for a decision."""

import math

from scipy.special import ndtri

LEVEL = 0.95
TAIL = (1 - LEVEL) / 2  # the probability beyond one end of an interval


def fraction_interval(k: float, n: float, tail: float = TAIL) -> tuple[float, float]:
    """Wilson's interval of the fraction k of n images, within [0, 1]; (0, 1) of no image.

    k and n need not be whole: k may be a mean over seeds, n an effective number of images. Never
    of zero width: where k is 0, it reaches up to z^2 / (n + z^2), z being the normal quantile.
    """
    if not n:
        return 0.0, 1.0
    z2 = float(ndtri(tail)) ** 2
    fraction = min(max(k / n, 0.0), 1.0)
    centre = (fraction + z2 / (2 * n)) / (1 + z2 / n)
    half_width = math.sqrt(z2 * fraction * (1 - fraction) / n + (z2 / (2 * n)) ** 2) / (1 + z2 / n)
    # At the ends the formula is exact; its rounding must not leave out what was seen.
    low = 0.0 if fraction == 0 else min(centre - half_width, fraction)
    high = 1.0 if fraction == 1 else max(centre + half_width, fraction)
    return low, high


def images_needed(k: int, n: int, threshold: float, side: str) -> int | None:
    """The number of images at which Wilson's interval, at the rate k / n, excludes the threshold.

    side: ``below``, where the interval must end at or below the threshold, or ``above``, where it
    must begin there. None where no number does: the rate lies on the other side, or at it. Such an
    interval ends where (share - threshold)^2 = z^2 threshold (1 - threshold) / n.
    """
    distance = {"below": threshold - k / n, "above": k / n - threshold}[side]
    if distance <= 0:
        return None
    return max(1, math.ceil(ndtri(TAIL) ** 2 * threshold * (1 - threshold) / distance**2))
