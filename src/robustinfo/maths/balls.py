"""Norms of perturbations; images inside their ball and the [0, 1] box, and the way back there."""

from torch import Tensor

SAME = 1e-3  # of an epsilon: 0.031 and 8/255 differ by more, 0.0314 and 8/255 do not
TOLERANCE = 1e-6  # rounding of float32, relative above 1; more makes a perturbation invalid


def distance(delta: Tensor, norm: str) -> Tensor:
    """The norm, ``linf`` or ``l2``, of each perturbation: (n, ...) -> (n,)."""
    flat = delta.flatten(1)
    return flat.abs().amax(1) if norm == "linf" else flat.norm(dim=1)


def same_ball(one: tuple[str, float | None], other: tuple[str, float | None]) -> bool:
    """Whether two threat models, (norm, epsilon or None), are one, however epsilon is written."""
    (norm, epsilon), (other_norm, other_epsilon) = one, other
    if norm != other_norm or epsilon is None or other_epsilon is None:
        return one == other
    return abs(epsilon - other_epsilon) <= SAME * max(epsilon, other_epsilon)


def feasible(x: Tensor, x_adv: Tensor, norm: str, epsilon: float | None) -> Tensor:
    """True where x_adv is finite, in [0, 1] and within epsilon (if any) of x: (n, ...) -> (n,)."""
    flat = x_adv.flatten(1)
    inside = flat.isfinite().all(1) & (flat.amin(1) >= 0) & (flat.amax(1) <= 1)
    if epsilon is None:
        return inside
    # Attacks project in float32, whose rounding grows with the norm: 1e-6 is too little at l2 10.
    limit = epsilon + TOLERANCE * max(1.0, epsilon)
    return inside & (distance(x_adv.double() - x.double(), norm) <= limit)


def projected(x: Tensor, x_adv: Tensor, norm: str, epsilon: float | None) -> Tensor:
    """x_adv brought within epsilon (if any) of x, an image in [0, 1], and then into [0, 1].

    In l2 the perturbation is made shorter, in linf it is cut: (n, ...) -> (n, ...).
    """
    if epsilon is not None and norm == "linf":
        x_adv = x_adv.clamp(x - epsilon, x + epsilon)
    elif epsilon is not None:
        x_adv = x + (x_adv - x).flatten(1).renorm(2, 0, epsilon).view_as(x)
    return x_adv.clamp(0, 1)
