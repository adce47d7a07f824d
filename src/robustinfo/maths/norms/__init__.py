"""One file per norm: the contract of this folder, whose functions balls.py calls by name.

A further norm is a file here, its name in core/settings.py, and its words in
evaluation/display/norms.py. x, x_adv, at and gradients are (n, ...); a ball is around x.
"""

from importlib import import_module
from typing import Any, Protocol

from torch import Generator, Tensor


class Method(Protocol):
    """What every file has."""

    DUAL: float  # the p of the dual norm: the most that a step of length 1 changes by a gradient

    def length(self, delta: Tensor) -> Tensor:
        """The norm of each perturbation: (n, ...) -> (n,)."""

    def tolerance(self, epsilon: float, values: int) -> float:
        """By how much rounding in float32 alone may exceed epsilon. values: of an image."""

    def projected(self, x: Tensor, x_adv: Tensor, epsilon: float | Tensor) -> Tensor:
        """x_adv, moved into the ball and [0, 1]; what lies there stays.

        epsilon: of all, or of each, (n, 1, ...).
        """

    def ascended(
        self, x: Tensor, at: Tensor, gradient: Tensor, size: float, epsilon: float
    ) -> Tensor:
        """``at``, a step of this size further up the gradient, in the ball and [0, 1].

        Where the gradient is 0 it stays.
        """

    def uniform(self, x: Tensor, radius: float) -> Tensor:
        """Points uniform in the ball, from torch's global random numbers; may leave [0, 1]."""

    def spread(self, x: Tensor, radius: float, *, edge: bool, generator: Generator) -> Tensor:
        """Points to look around at: at the edge of the ball, or at all distances from x."""

    def largest_change(self, room: Tensor, slope: Tensor, epsilon: float) -> Tensor:
        """d of the largest <slope, d> with 0 <= d <= room and norm epsilon: (n, d) each.

        slope: at least 0.
        """


def of(norm: str) -> Any:  # noqa: ANN401  # a module that is a Method
    """The file of a norm."""
    return import_module(f"robustinfo.maths.norms.{norm}")
