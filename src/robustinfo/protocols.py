"""What a judged network is put through: attacks and diagnostics, in five sizes.

Each size asks everything that the smaller ones ask, more thoroughly and of more images. How long
one takes stands in budgets.py.
"""

import math
from typing import Any, NamedTuple

from robustinfo.settings import Settings

Entries = dict[str, dict[str, Any]]
CURVE_STEPS, PATH = 20, 100  # steps
REACH = 2.5  # epsilons that all steps together are long


class Size(NamedTuple):
    name: str
    images: int
    steps: int
    restarts: int
    queries: int  # of Square
    walk: int  # steps of HopSkipJump; 0: none
    draws: int  # of random search
    planted: int  # images of the planted-example test
    ensemble: bool  # AutoAttack


SIZES = (
    Size("glance", 64, 20, 1, 200, 0, 50, 16, False),
    Size("short", 100, 40, 2, 1000, 10, 200, 32, False),
    Size("middle", 200, 50, 3, 2000, 20, 1000, 32, True),
    Size("long", 500, 100, 5, 5000, 30, 1000, 64, True),
    Size("whole", 1000, 100, 10, 5000, 50, 10_000, 64, True),
)


def place(size: Size) -> str:
    """Which of the sizes it is: ``2 of 5``."""
    return f"{SIZES.index(size) + 1} of {len(SIZES)}"


class Ball(Settings):
    """A threat model: every perturbation whose norm is at most epsilon."""

    norm: str
    epsilon: float

    def huge(self, pixels: int) -> float:
        """The epsilon at which an attack may paint any image."""
        return 1.0 if self.norm == "linf" else math.sqrt(pixels)


def attacks(size: Size, ball: Ball) -> Entries:
    """Entries of attacks/, by name; all within the ball."""
    within = {"norm": ball.norm, "epsilon": ball.epsilon}
    climb = _climb(size, ball)
    found: Entries = {
        "fgsm": {"method": "fgsm", **within},
        "pgd": {"method": "pgd", **climb, "until": "fooled"},
        "margin_pgd": {"method": "pgd", **climb, "objective": "margin", "until": "fooled"},
        "noise": {"method": "additive_noise", **within},
        "random_search": {"method": "random_search", **within, "draws": size.draws},
        "square": {"method": "square", **within, "queries": size.queries},
    }
    if size.walk:
        found["hop_skip_jump"] = {"method": "hop_skip_jump", **within, "steps": size.walk}
    if ball.norm == "l2":
        found["carlini_wagner"] = {
            "method": "carlini_wagner", "epsilon": ball.epsilon, "binary_search_steps": 4,
            "steps": size.steps, "step_size": 0.1, "initial_const": 1.0,
        }  # fmt: skip
    if size.ensemble:
        found["autoattack"] = {"method": "autoattack", **within, "until": "fooled"}
    return found


def _climb(size: Size, ball: Ball) -> dict[str, Any]:
    ascent = {
        "step_size": REACH * ball.epsilon / size.steps,
        "steps": size.steps,
        "restarts": size.restarts,
    }
    return {"norm": ball.norm, "epsilon": ball.epsilon} | ascent


def adaptive(size: Size, ball: Ball) -> Entries:
    """PGD on the defence's own loss term, for defences that have one."""
    return {"adaptive": {"method": "adaptive", **_climb(size, ball), "term_weight": 1.0}}


def diagnostics(size: Size, ball: Ball, pixels: int) -> Entries:
    """Entries of diagnostics/, by name. pixels: values of one image."""
    made = attacks(size, ball)
    within = {"norm": ball.norm, "epsilon": ball.epsilon}
    steps = max(PATH, size.steps)  # after 40, one in six still rises of a network that is robust
    planted = {"method": "planted", "images": size.planted}
    levels = [share * ball.epsilon for share in (0.0, 0.25, 0.5, 1.0, 2.0)]
    huge, far = ball.huge(pixels), REACH * ball.epsilon
    return {
        "outputs": {"method": "outputs"},
        "zero_gradients": {"method": "zero_gradients"},
        "ascent": {"method": "ascent", **within, "steps": steps, "step_size": far / steps},
        "doubled": {"method": "doubled", **_climb(size, ball)},
        "planted_pgd": planted | {"adversary": made["pgd"]},
        "planted_margin": planted | {"adversary": made["margin_pgd"]},
        "epsilon_curve": {
            "method": "attack_accuracy", "norm": ball.norm, "steps": CURVE_STEPS,
            "sweep": {"epsilon": [level for level in levels if level < huge] + [huge]},
        },
    }  # fmt: skip
