"""The outcome of all attacks per image, in one threat model: robust, broken, and by which alone.

An image is robust if it is correct when clean and no attack within the ball broke it. Images that
only one kind of attack breaks are counted apart: Carlini et al. (2019), arXiv 1902.06705, and
Athalye et al. (2018), arXiv 1802.00420, take them for a sign that the gradient attacks have failed.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from robustinfo.core.measurement import Measurement, count_fraction, fraction
from robustinfo.evaluation.threats import STRONGER_ROLES, Threat
from robustinfo.maths.balls import same_ball
from robustinfo.maths.statistics import paired_difference

# The quantities of ``measurements``.
QUANTITIES = (
    "robust_accuracy", *(f"{role}_only_fraction" for role in STRONGER_ROLES), "noise_only_rate",
    "adaptive_shortfall",
)  # fmt: skip
WEAKER = ("noise", "single_step", "black_box", "adaptive")  # than a long gradient attack


class Outcome(NamedTuple):
    """Masks of images in one threat model, (n,) bool each."""

    robust: Tensor
    only: dict[str, Tensor]  # by role: broken by it, and by no attack of STRONGER_ROLES
    suspects: dict[float, Tensor]  # by epsilon: ``only`` of the roles in WEAKER
    resists_cross_entropy: Tensor  # correct, and no attack on the cross-entropy broke it
    resists_gradients: Tensor  # correct, and no gradient attack but an ensemble broke it
    broken: Tensor
    shortfall: tuple[Tensor, Tensor] | None  # broken by (plain PGD alone, adaptive PGD alone)


def outcome(
    success: Mapping[str, Tensor], threats: Mapping[str, Threat], correct: Tensor, norm: str
) -> Outcome:
    """The outcome of the attacks of one norm.  success: (n,) bool each.  correct: (n,), clean.

    ``only`` has a role where there is an iterated attack in the same ball to compare with.
    """
    in_norm = {n: t for n, t in threats.items() if t.norm == norm and t.epsilon is not None}
    none_broken = torch.zeros_like(correct)

    def union(names: list[str]) -> Tensor:
        return torch.stack([none_broken, *(success[name] for name in names)]).any(0)

    def in_same_ball(one: Threat, *roles: str) -> list[str]:
        ball = (one.norm, one.epsilon)
        return [
            n
            for n, t in in_norm.items()
            if t.role in roles and same_ball((t.norm, t.epsilon), ball)
        ]

    only: dict[str, Tensor] = {}
    suspects: dict[float, Tensor] = {}
    for name, one in in_norm.items():
        if one.role in STRONGER_ROLES and in_same_ball(one, "iterated"):
            alone = success[name] & ~union(in_same_ball(one, *STRONGER_ROLES[one.role]))
            only[one.role] = only.get(one.role, none_broken) | alone
            if one.role in WEAKER and one.epsilon is not None:
                suspects[one.epsilon] = suspects.get(one.epsilon, none_broken) | alone
    broken = union([*in_norm])
    on_cross_entropy = [n for n, t in in_norm.items() if t.loss == "cross_entropy"]
    return Outcome(
        correct & ~broken,
        only,
        suspects,
        correct & ~union(on_cross_entropy),
        correct & ~union([n for n, t in in_norm.items() if t.role in ("single_step", "iterated")]),
        broken,
        _shortfall(success, in_norm),
    )


def _shortfall(
    success: Mapping[str, Tensor], in_norm: Mapping[str, Threat]
) -> tuple[Tensor, Tensor] | None:
    """Images broken by plain PGD of no more effort in the same ball and not by an adaptive attack,
    and the reverse. Of several adaptive attacks, the one that misses most.
    """
    pairs = []
    for name, one in in_norm.items():
        if one.role != "adaptive":
            continue
        plain = [
            success[other]
            for other, t in in_norm.items()
            if t.method == "pgd"
            and same_ball((t.norm, t.epsilon), (one.norm, one.epsilon))
            and t.effort[0] <= one.effort[0]
            and t.effort[1] <= one.effort[1]
        ]
        if plain:
            by_plain = torch.stack(plain).any(0)
            pairs.append((by_plain & ~success[name], success[name] & ~by_plain))
    return max(pairs, key=lambda pair: int(pair[0].sum() - pair[1].sum()), default=None)


def measurements(outcome: Outcome, only: Mapping[str, Tensor]) -> list[Measurement]:
    """QUANTITIES of one outcome: fractions of all images, ``noise_only_rate`` of those robust
    against all other attacks.

    only: as in the outcome, without images that a longer gradient attack broke.
    ``adaptive_shortfall`` has the interval of a paired difference.
    """
    values = [fraction("robust_accuracy", outcome.robust)]
    values += [fraction(f"{role}_only_fraction", mask) for role, mask in only.items()]
    if "noise" in outcome.only:
        resisted = int((outcome.robust | outcome.only["noise"]).sum())
        if resisted:
            values.append(
                count_fraction("noise_only_rate", int(outcome.only["noise"].sum()), resisted)
            )
    if outcome.shortfall is not None:
        missed, gained, n = *(int(mask.sum()) for mask in outcome.shortfall), len(outcome.robust)
        low, high = paired_difference(missed, gained, n)
        value = (missed - gained) / n
        values.append(Measurement("adaptive_shortfall", value, "own", n, low, high))
    return values
