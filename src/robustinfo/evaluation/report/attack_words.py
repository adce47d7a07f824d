"""Attacks in words: what kind they are, and their settings."""

from typing import Any

from robustinfo.evaluation.display.numbers import SPACE, pixels, plain
from robustinfo.evaluation.report.schema import Attack

ROLES = {
    "noise": "random noise, without a gradient",
    "single_step": "one step along the gradient",
    "adaptive": "made by who knows the defence",
    "black_box": "asks for answers only, no gradient",
    "ensemble": "several attacks, one after another",
    "iterated": "many steps along the gradient",
}
OF_BALL = ("method", "norm", "epsilon")  # the threat model says them
SIZES = ("step_size",)  # in pixel values
COUNTED = {"steps": "step", "restarts": "restart", "queries": "query", "draws": "draw"}


def name(text: str) -> str:
    """The name of an attack, a method or a setting, without underscores."""
    return text.replace("_", " ")


def settings(attack: Attack) -> str:
    """The settings of an attack: ``50 steps, 3 restarts, step size 2/255``."""
    parts = [
        _setting(key, value)
        for key, value in attack.settings.items()
        if key not in OF_BALL and value not in (None, {}, [])
    ]
    return ", ".join(parts) or "no settings"


def count(noun: str, value: int) -> str:
    """A number of COUNTED things: ``1 restart``."""
    return f"{value:,}{SPACE}{COUNTED[noun] if value == 1 else noun}"


def _setting(key: str, value: Any) -> str:  # noqa: ANN401 - whatever a Config holds
    if key in COUNTED and isinstance(value, int):
        return count(key, value)
    if key in SIZES and isinstance(value, float):
        return f"{name(key)} {pixels(value)}"
    return f"{name(key)} {_text(value)}"


def _text(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return plain(value)
    if isinstance(value, dict):
        return f"({', '.join(_setting(key, part) for key, part in value.items())})"
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value))
    return name(str(value))
