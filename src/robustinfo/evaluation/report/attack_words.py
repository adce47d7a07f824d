"""Attacks in words: what kind they are, and their settings."""

from typing import Any

from robustinfo.evaluation.display.numbers import SPACE, duration, pixels, plain
from robustinfo.evaluation.report.schema import Attack

ROLES = {
    "noise": "random noise, without a gradient",
    "single_step": "one step along the gradient",
    "adaptive": "made by who knows the defence",
    "black_box": "without the gradient of the network",
    "ensemble": "several attacks, one after another",
    "iterated": "many steps along the gradient",
}
OF_BALL = ("method", "norm", "epsilon")  # the threat model says them
SIZES = ("step_size",)  # in pixel values
COUNTED = {"steps": "step", "restarts": "restart", "queries": "query", "draws": "draw"}


def name(text: str) -> str:
    """The name of an attack, a method or a setting, without underscores."""
    return text.replace("_", " ")


def details(key: str, attack: Attack) -> str:
    """What is known of an attack beside its name: ``pgd; 50 steps, step size 2/255; 12 min``."""
    settings = ", ".join(
        _setting(setting, value)
        for setting, value in attack.settings.items()
        if setting not in OF_BALL and value not in (None, {}, [])
    )
    parts = ["" if attack.method == key else name(attack.method), settings]
    if attack.seconds is not None:
        parts.append(duration(attack.seconds))
    if attack.outside:
        parts.append(f"{attack.outside:,} images outside the threat model, which do not count")
    return "; ".join(filter(None, parts))


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
