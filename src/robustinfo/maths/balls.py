"""Norms of perturbations, feasibility in the ball and the [0, 1] box, projection, random points.

What depends on the norm is in its file of norms/, to which these functions pass their arguments.
"""

from torch import Generator, Tensor

from robustinfo.maths import norms

SAME = 1e-3  # of an epsilon: 0.031 and 8/255 differ by more, 0.0314 and 8/255 do not


def distance(delta: Tensor, norm: str) -> Tensor:
    """The norm of each perturbation: (n, ...) -> (n,)."""
    return norms.of(norm).length(delta)


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
    limit = epsilon + norms.of(norm).tolerance(epsilon, flat.shape[1])
    return inside & (distance(x_adv.double() - x.double(), norm) <= limit)


def projected(x: Tensor, x_adv: Tensor, norm: str, epsilon: float | Tensor | None) -> Tensor:
    """x_adv projected to the ball of epsilon (if any) around x, in [0, 1], and to [0, 1].

    In linf the perturbation is clipped, in l2 scaled, and then cut to [0, 1]; in l1 the projection
    to both together is exact: (n, ...) -> (n, ...). epsilon: of all, or of each, (n,).
    """
    if epsilon is None:
        return x_adv.clamp(0, 1)
    if isinstance(epsilon, Tensor):
        epsilon = epsilon.view(-1, *[1] * (x.ndim - 1))
    return norms.of(norm).projected(x, x_adv, epsilon)


def ascended(
    x: Tensor, at: Tensor, gradient: Tensor, *, size: float, norm: str, epsilon: float
) -> Tensor:
    """A step of this size from ``at`` up the gradient, in the ball around x and in [0, 1].

    In linf along the gradient's sign, in l2 along the gradient over its length, each followed by
    the projection; in l1 towards the point of the ball and the box where the loss would be largest
    if it were linear: (n, ...) -> (n, ...). Where the gradient is 0 it stays at ``at``.
    """
    return norms.of(norm).ascended(x, at, gradient, size, epsilon)


def uniform(x: Tensor, norm: str, radius: float) -> Tensor:
    """A random point for each of x, (n, ...), uniform in the ball around it; may leave [0, 1].

    From torch's global random numbers.
    """
    return norms.of(norm).uniform(x, radius)


def spread(x: Tensor, norm: str, radius: float, *, edge: bool, generator: Generator) -> Tensor:
    """Points to look around at, like x: at the edge of the ball around it, or at all distances.

    At the edge they are corners of the linf ball, lie on the l2 sphere, or in l1 change as few
    values as can spend the radius. They may leave [0, 1].
    """
    return norms.of(norm).spread(x, radius, edge=edge, generator=generator)


def largest_change(room: Tensor, slope: Tensor, norm: str, epsilon: float) -> Tensor:
    """d of the largest <slope, d> with 0 <= d <= room and |d| <= epsilon: (n, d) each.

    slope: at least 0. It is exact in every norm.
    """
    return norms.of(norm).largest_change(room, slope, epsilon)
