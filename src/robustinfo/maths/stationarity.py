"""First-order stationarity (FOSC): how much the loss could still rise, to first order.

Wang et al. (2019), On the convergence and robustness of adversarial training, arXiv 2112.08304,
section 3, here for the ball cut to the box of images:
    c(x') = max <z - x', grad L(x')>  over  z in [0, 1], |z - x| <= epsilon.
It is 0 just where x' is a stationary point of the constrained maximisation. All norms have closed
forms. With r the room from x to the box along the sign of the gradient g, and d = |z - x|:
    linf  d = min(r, epsilon);
    l2    d = min(r, t |g|), t such that |d|_2 = epsilon, or d = r where that is shorter;
    l1    d = r for the steepest values, one after another, until epsilon is spent.

Known bias: c has the unit of the loss, so that it is small wherever the loss is, and its first
order is blind to curvature: at a kink, where two slopes of ReLUs meet, c is large although no step
climbs any more.
"""

import torch
from torch import Tensor

from robustinfo.maths.balls import largest_change


def first_order_gap(x: Tensor, at: Tensor, gradient: Tensor, norm: str, epsilon: float) -> Tensor:
    """c(at), (n,) float64 and at least 0; ``gradient`` is the loss's at ``at``. All like x.

    x: (n, c, h, w) in [0, 1], the middle of the ball.
    """
    x, at, slope = (one.double().flatten(1) for one in (x, at, gradient))
    room = torch.where(slope > 0, 1 - x, x)
    size = slope.abs()
    change = largest_change(room, size, norm, epsilon)
    # A step in float32 may end outside by its rounding, where the gap is below 0.
    return ((size * change).sum(1) + ((x - at) * slope).sum(1)).clamp(min=0)


def log_odds(logits: Tensor, y: Tensor) -> Tensor:
    """Log-odds of an error, log((1 - p_y) / p_y), (n,) float64: logsumexp of the others less f_y.

    logits: (n, K).  y: (n,) labels.  The cross-entropy is softplus of it, which is exact however
    sure the network is: as -log p_y it is 0 from a difference of 37 on.
    """
    index = y[:, None]
    logits = logits.double()
    others = logits.scatter(1, index, -torch.inf).logsumexp(1)
    return others - logits.gather(1, index).squeeze(1)
