"""The former names of ``maths.statistics``, until everything asks it by its own."""

from robustinfo.maths.statistics import (  # noqa: F401
    LEVEL,
    fraction_interval,
    jackknife,
    spearman,
    student,
)
from robustinfo.maths.statistics import paired_difference as gain  # noqa: F401


def wilson(fraction: float, n: int) -> tuple[float, float]:
    """Wilson's score interval of a fraction seen on n images."""
    return fraction_interval(round(fraction * n), n)
