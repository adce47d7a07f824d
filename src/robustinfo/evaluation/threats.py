"""The threat model and the kind of each attack, and the threat models of an evaluation.

A threat model is a norm and the largest epsilon among its attacks; norms are never pooled.
"""

from collections.abc import Mapping
from typing import NamedTuple

from robustinfo.core import registry
from robustinfo.core.measurement import Measurement, exact
from robustinfo.core.settings import Norm, Settings
from robustinfo.maths.balls import same_ball

# The roles of attacks, and the roles of attacks that should break no less. All others are compared
# with iterated gradient attacks. An ensemble (AutoAttack) contains a black box itself; that it
# breaks more than the rest is common, and only noted.
STRONGER_ROLES = {
    "noise": ("single_step", "iterated", "adaptive"),
    "single_step": ("iterated", "adaptive"),
    "adaptive": ("single_step", "iterated", "ensemble"),
    "black_box": ("single_step", "iterated", "adaptive"),
    "ensemble": ("single_step", "iterated", "adaptive"),
}
ROLES = (*STRONGER_ROLES, "iterated")
ATTACK_COUNTS = ("gradient_attacks", "autoattack_attacks", "decision_based_attacks")
GRADIENTS = ("iterated", "ensemble")  # without one of them nothing has been evaluated


class Ball(Settings):
    """A threat model: every perturbation whose norm is at most epsilon."""

    norm: Norm
    epsilon: float  # in pixel values of [0, 1]


class Threat(NamedTuple):
    """The threat model of an attack, and its kind."""

    role: str  # its file's ROLE
    norm: str
    epsilon: float | None  # None: it belongs to no threat model
    method: str = ""
    loss: str = ""  # cross_entropy, margin, ...: the one that it maximises, by pgd.py's names
    effort: tuple[int, int] = (0, 0)  # steps and restarts, of what iterates
    decision_based: bool = False  # whether it sees predicted labels alone

    def transferred(self) -> "Threat":
        """The threat of its examples on another network, which it has not queried: a black box."""
        return Threat("black_box", self.norm, self.epsilon)


def threat(entry: Mapping) -> Threat:
    """The threat of an attack's entry in a study or protocol."""
    module, config = registry.module("attacks", entry), registry.config("attacks", entry)
    # Of texts no distance is taken.
    norm, epsilon = getattr(config, "norm", ""), getattr(config, "epsilon", None)
    return Threat(
        module.ROLE,
        norm,
        epsilon,
        entry["method"],
        getattr(config, "loss_name", registry.hook("attacks", entry, "LOSS")),
        (getattr(config, "steps", 0) or 0, getattr(config, "restarts", 1)),
        registry.hook("attacks", entry, "DECISION_BASED"),
    )


def threat_models(threats: Mapping[str, Threat]) -> dict[str, float]:
    """The threat models that the attacks belong to: the largest epsilon by norm."""
    epsilons: dict[str, float] = {}
    for one in threats.values():
        if one.epsilon is not None:
            epsilons[one.norm] = max(one.epsilon, epsilons.get(one.norm, 0.0))
    return epsilons


def attack_counts(threats: Mapping[str, Threat], ball: tuple[str, float]) -> list[Measurement]:
    """ATTACK_COUNTS: the attacks of each kind that a verdict requires, in the whole ball.

    ball: (norm, epsilon). Attacks in a smaller ball do not count.
    """
    in_ball = [
        t
        for t in threats.values()
        if t.epsilon is not None and same_ball((t.norm, t.epsilon), ball)
    ]
    return [
        exact("gradient_attacks", sum(t.role in GRADIENTS for t in in_ball)),
        exact("autoattack_attacks", sum(t.method == "autoattack" for t in in_ball)),
        exact("decision_based_attacks", sum(t.decision_based for t in in_ball)),
    ]
