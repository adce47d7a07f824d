"""Numbers of the page with their units: fractions in percent, and never an exponent."""

import pandas as pd

from pipeline.results.units import PERCENT
from robustinfo.evaluation.display import numbers


def number(value: float, unit: str = "") -> str:
    """``43.2 %``, ``1,110 bytes``, ``0.031``; nothing for a missing value."""
    if pd.isna(value):
        return ""
    if unit == PERCENT:
        return numbers.percent(value)
    return numbers.plain(value, 4) + (numbers.SPACE + unit if unit else "")


def signed(value: float, unit: str = "") -> str:
    """A difference with its sign, of fractions in points; nothing for a missing value."""
    if pd.isna(value):
        return ""
    if unit == PERCENT:
        return numbers.points(value)
    sign = "+" if value >= 0 else "\N{MINUS SIGN}"
    return sign + number(abs(value), unit)


def percent(value: float) -> str:
    """A fraction in percent with one decimal; nothing for a missing value."""
    return number(value, PERCENT)


def interval(low: float, high: float, unit: str = "") -> str:
    """``[1.2 %, 3.4 %]``; nothing where there is no interval."""
    return "" if pd.isna(low) else f"[{number(low, unit)}, {number(high, unit)}]"


def signed_interval(low: float, high: float, unit: str = "") -> str:
    """``[-1.2 points, +3.4 points]``; nothing where there is no interval."""
    return "" if pd.isna(low) else f"[{signed(low, unit)}, {signed(high, unit)}]"
