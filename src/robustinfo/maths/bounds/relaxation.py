"""Linear bounds, backward: CROWN (Zhang et al. 2018, arXiv 1811.00866), with DeepPoly's slopes.

A linear function of a layer's output is bounded from below by one of its input, layer after layer,
until it is one of the image. Where a ReLU's input z may have either sign, l < 0 < u,
    a z <= relu(z) <= u (z - l) / (u - l),   a = 1 if u > -l, else 0   (Singh et al. 2019).
Other functions than ReLU are not relaxed: behind one of them its interval has to do.

The intervals of hidden neurons are bounded in the same way where that was asked for, and never
wider than those of interval arithmetic.
"""

import torch
from torch import Tensor

from robustinfo.maths.bounds.ball import Ball
from robustinfo.maths.bounds.intervals import Interval
from robustinfo.maths.bounds.steps import RELU, Step

VALUES = 2**19  # of all rows at once, in front of one step: 4 MiB, near what a cache holds


def inputs_of(steps: list[Step], ball: Ball, *, hidden: int) -> list[Interval]:
    """What comes into every step, in a ball, and, last, out of the chain.

    hidden: the number of hidden neurons, from the first layer on, that are bounded backward;
    a layer that does not fit in keeps its intervals.
    """
    inputs, now, in_front = list[Interval](), Interval(*ball.box()), True
    for number, step in enumerate(steps):
        # In a box intervals are exact for what one affine layer gives.
        if not step.affine and not (in_front and ball.norm == "linf"):
            neurons = now.low[0].numel()
            if neurons <= hidden:
                hidden -= neurons
                now = now.meet(_backward(steps[:number], inputs, ball, now))
        in_front &= step.affine
        inputs.append(now)
        now = now.through(step)
    return [*inputs, now]


def least(
    steps: list[Step], rows: Tensor, inputs: list[Interval], ball: Ball, *, relax: bool = True
) -> Tensor:
    """A lower bound of c . f(x), (n, s).  rows: c, (n, s, ...), on the output of the steps.

    inputs: of every step. relax: whether to pass ReLU; if not, the interval behind the last step
    that is not affine bounds the rest.
    """
    widest = max(one.low.numel() for one in inputs) if inputs else ball.x.numel()
    parts = rows.split(max(1, VALUES // widest), 1)
    return torch.cat([_least(steps, few, inputs, ball, relax) for few in parts], 1)


def _least(
    steps: list[Step], rows: Tensor, inputs: list[Interval], ball: Ball, relax: bool
) -> Tensor:
    constant = torch.zeros(rows.shape[:2], dtype=rows.dtype, device=rows.device)
    for number in range(len(steps) - 1, -1, -1):
        step, into = steps[number], inputs[number]
        if step.affine:
            rows, more = step.transposed(rows, into.low.shape[1:])
        elif step.name == RELU and relax:
            rows, more = _relaxed(rows, into)
        else:
            return constant + into.through(step).least(rows)
        constant = constant + more
    return constant + ball.least(rows)


def _relaxed(rows: Tensor, into: Interval) -> tuple[Tensor, Tensor]:
    """Rows on what comes into a ReLU, and the constants, (n, s)."""
    low, high = into.low.clamp(max=0), into.high.clamp(min=0)
    upper = high / (high - low).clamp(min=torch.finfo(low.dtype).tiny)
    lower = (high > -low).to(low)
    negative = rows.clamp(max=0).flatten(2)
    constant = (negative @ (-upper * low).flatten(1)[:, :, None])[:, :, 0]
    return rows * torch.where(rows > 0, lower[:, None], upper[:, None]), constant


def _backward(steps: list[Step], inputs: list[Interval], ball: Ball, like: Interval) -> Interval:
    """The intervals of all neurons behind the steps.  like: intervals of the same shape."""
    n, *shape = like.low.shape
    neurons = like.low[0].numel()
    units = torch.eye(neurons, dtype=like.low.dtype, device=like.low.device)
    rows = units.view(1, neurons, *shape).expand(n, -1, *shape)
    low, high = least(steps, rows, inputs, ball), -least(steps, -rows, inputs, ball)
    return Interval(low.view_as(like.low), high.view_as(like.high))
