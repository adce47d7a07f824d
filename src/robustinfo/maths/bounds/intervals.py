"""Interval bounds: the least and largest value of every neuron, layer by layer.

Gowal et al. (2018), arXiv 1810.12715: an affine layer maps the middle m of an interval, and its
radius r by |A| r; a monotone one its ends.
"""

from typing import NamedTuple

from torch import Tensor

from robustinfo.maths.bounds.steps import Step


class Interval(NamedTuple):
    """The least and the largest values, (n, ...) each."""

    low: Tensor
    high: Tensor

    def through(self, step: Step) -> "Interval":
        """The interval behind a step."""
        if not step.affine:
            return Interval(step(self.low), step(self.high))
        middle, reach = step((self.low + self.high) / 2), step.reach((self.high - self.low) / 2)
        return Interval(middle - reach, middle + reach)

    def least(self, rows: Tensor) -> Tensor:
        """The least a . t.  rows: a, (n, s, ...) -> (n, s)."""
        a, low, high = rows.flatten(2), *(end.flatten(1)[:, None] for end in self)
        return (a.clamp(min=0) * low + a.clamp(max=0) * high).sum(2)

    def meet(self, other: "Interval") -> "Interval":
        """What both allow."""
        return Interval(self.low.maximum(other.low), self.high.minimum(other.high))
