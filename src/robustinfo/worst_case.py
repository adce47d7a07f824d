"""Per image, over all attacks of an evaluation: what a network leaves standing, and what broke it.

An image stands if it was correct when clean and no attack of the threat model fooled the network on
it. What only one kind of attack breaks is told apart: Carlini et al. (2019), arXiv 1902.06705, and
Athalye et al. (2018), arXiv 1802.00420, take it for a sign that the gradient attacks have failed.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

# The roles of attacks, and those of the attacks that should find no less. An iterated gradient
# attack is what all others are held against. An ensemble (AutoAttack) holds a black box itself, so
# that nothing is held against it; that it finds more than the rest is common, and only noted.
BEATEN_BY = {
    "noise": ("single_step", "iterated", "adaptive"),
    "single_step": ("iterated", "adaptive"),
    "adaptive": ("single_step", "iterated", "ensemble"),
    "black_box": ("single_step", "iterated", "adaptive"),
    "ensemble": ("single_step", "iterated", "adaptive"),
}
ROLES = (*BEATEN_BY, "iterated")
GRADIENTS = ("iterated", "ensemble")  # without one of them nothing has been evaluated


class Threat(NamedTuple):
    """What an attack may do, and what kind of attack it is (its file's ROLE)."""

    role: str
    norm: str
    epsilon: float | None


def worst_case(success: Mapping[str, Tensor], threats: Mapping[str, Threat]) -> dict[str, Tensor]:
    """What broke each image, and what alone broke it.

    success: (n,) bool per attack. Returns (n,) bool masks: ``broken`` (by any attack that has an
    epsilon); ``noise_only`` and ``single_step_only`` (by that, and by no stronger attack of the
    same norm and epsilon); ``adaptive_only``, ``black_box_only`` and ``ensemble_only`` (by that,
    and by no gradient attack of the same norm and epsilon, for the first one that does not know
    the defence), which are missing where there is none to compare.
    """
    nothing = torch.zeros_like(next(iter(success.values())))

    def broken(like: Threat, *roles: str) -> Tensor:
        names = [n for n, t in threats.items() if t[1:] == like[1:] and t.role in roles]
        return torch.stack([nothing, *(success[n] for n in names)]).any(0)

    masks = {name: nothing.clone() for name in ("broken", "noise_only", "single_step_only")}
    for name, threat in threats.items():
        if threat.epsilon is None:
            continue
        masks["broken"] |= success[name]
        if not any(t.role == "iterated" and t[1:] == threat[1:] for t in threats.values()):
            continue  # no stronger attack was there to compare with
        if threat.role in BEATEN_BY:
            only = f"{threat.role}_only"
            alone = success[name] & ~broken(threat, *BEATEN_BY[threat.role])
            masks[only] = masks.get(only, nothing) | alone
    return masks


def shares(
    success: Mapping[str, Tensor], threats: Mapping[str, Threat], correct: Tensor
) -> tuple[dict[str, tuple[float, int]], Tensor]:
    """Fractions, each of so many images, and (n,) which images stand.

    correct: (n,) when clean. ``robust_accuracy`` and every ``_only_share`` are of all images.
    ``noise_only_rate``: of the images that everything but noise leaves standing, how many fall to
    noise. ``gradient_attacks``: how many attacks with an epsilon climb a gradient, and iterate.
    """
    masks = worst_case(success, threats)
    stands = correct & ~masks["broken"]
    found = {f"{name}_share": masks[name] for name in masks if name.endswith("_only")}
    found["robust_accuracy"] = stands
    values = {name: (mask.double().mean().item(), len(mask)) for name, mask in found.items()}
    climbing = [t for t in threats.values() if t.epsilon is not None and t.role in GRADIENTS]
    values["gradient_attacks"] = (float(len(climbing)), len(stands))
    left = int((stands | masks["noise_only"]).sum())
    if left:
        values["noise_only_rate"] = (int(masks["noise_only"].sum()) / left, left)
    return values, stands
