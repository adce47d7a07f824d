"""Numbers as people read them: percent, points, pixel values; never with an exponent."""

import numpy as np

SPACE = "\N{NARROW NO-BREAK SPACE}"  # between a number and its unit
FINEST = 0.0005  # a fraction below it, and above 0, is no 0.0 %


def plain(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, and no exponent: ``0.031``, ``1,110``."""
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return np.format_float_positional(value, precision=digits, fractional=False, trim="-")


def percent(value: float) -> str:
    """A fraction in percent with one decimal: ``43.2 %``; what is not quite 0 or 1 is said so."""
    if 0 < value < FINEST:
        return f"< 0.1{SPACE}%"
    if 1 - FINEST < value < 1:
        return f"> 99.9{SPACE}%"
    return f"{round(100 * value, 1) + 0.0:.1f}{SPACE}%".replace("-", "\N{MINUS SIGN}")


def share(value: float) -> str:
    """A fraction that was chosen, as a threshold, in percent: ``5 %``."""
    return f"{plain(100 * value)}{SPACE}%"


def points(value: float) -> str:
    """A difference of two accuracies, in percentage points: ``+3.2 points``."""
    return f"{round(100 * value, 1) + 0.0:+.1f}{SPACE}points".replace("-", "\N{MINUS SIGN}")


def pixels(value: float) -> str:
    """A size in pixel values of [0, 1]: ``8/255`` where it is one, else ``0.2``."""
    steps = round(255 * value)
    if float(f"{value:.3g}") != value and steps and abs(255 * value - steps) < 1e-3:
        return f"{steps}/255"
    return plain(value, 4)


def duration(seconds: float) -> str:
    """A time: ``0.4 s``, ``95 s``, ``12 min``, ``3.5 h``."""
    if seconds < 120:
        return f"{plain(seconds, 2)}{SPACE}s"
    if seconds < 7200:
        return f"{seconds / 60:.0f}{SPACE}min"
    return f"{seconds / 3600:,.1f}{SPACE}h"
