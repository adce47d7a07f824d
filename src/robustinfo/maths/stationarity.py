"""First-order stationarity (FOSC): how much the loss could still rise, to first order.

Wang et al. (2019), On the convergence and robustness of adversarial training, arXiv 2112.08304,
section 3, here for the ball cut to the box of images:
    c(x') = max <z - x', grad L(x')>  over  z in [0, 1], |z - x| <= epsilon.
It is 0 just where x' is a stationary point of the constrained maximisation. Both norms have closed
forms. With r the room from x to the box along the sign of the gradient g, and d = |z - x|:
    linf  d = min(r, epsilon);
    l2    d = min(r, t |g|), t such that |d|_2 = epsilon, or d = r where that is shorter.

Known bias: c has the unit of the loss, so that it is small wherever the loss is, and its first
order is blind to curvature: at a kink, where two slopes of ReLUs meet, c is large although no step
climbs any more.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def first_order_gap(x: Tensor, at: Tensor, gradient: Tensor, norm: str, epsilon: float) -> Tensor:
    """c(at), (n,) float64 and at least 0; ``gradient`` is the loss's at ``at``. All like x.

    x: (n, c, h, w) in [0, 1], the middle of the ball, ``linf`` or ``l2``.
    """
    x, at, slope = (one.double().flatten(1) for one in (x, at, gradient))
    room = torch.where(slope > 0, 1 - x, x)
    size = slope.abs()
    largest_change = room.clamp(max=epsilon) if norm == "linf" else _in_l2(room, size, epsilon)
    # A step in float32 may end outside by its rounding, where the gap is below 0.
    return ((size * largest_change).sum(1) + ((x - at) * slope).sum(1)).clamp(min=0)


def _in_l2(room: Tensor, size: Tensor, epsilon: float) -> Tensor:
    """d of the greatest <size, d>, 0 <= d <= room, |d|_2 <= epsilon: all (n, d) float64.

    The length of min(room, t size) grows with t, and between two of the t at which another
    coordinate meets its room it is the root of a quadratic: hence sorting finds t exactly.
    """
    size = size / size.amax(1, keepdim=True).clamp(min=torch.finfo(size.dtype).tiny)
    meets, order = (room / size).nan_to_num(nan=0.0, posinf=torch.inf).sort(1)
    room2, size2 = (one.gather(1, order).square() for one in (room, size))
    met = F.pad(room2.cumsum(1), (1, 0))  # (n, d + 1), of the first k
    free = F.pad(size2.flip(1).cumsum(1).flip(1), (0, 1))  # of all but the first k
    lengths = met[:, 1:] + torch.where(free[:, 1:] > 0, meets.square() * free[:, 1:], 0.0)
    k = (lengths <= epsilon**2).sum(1, keepdim=True)
    rest = (epsilon**2 - met.gather(1, k)).clamp(min=0)
    t = (rest / free.gather(1, k)).sqrt().nan_to_num(nan=torch.inf, posinf=torch.inf)
    return torch.where(size > 0, torch.minimum(room, t * size), 0.0)


def log_odds(logits: Tensor, y: Tensor) -> Tensor:
    """Log-odds of an error, log((1 - p_y) / p_y), (n,) float64: logsumexp of the others less f_y.

    logits: (n, K).  y: (n,) labels.  The cross-entropy is softplus of it, which is exact however
    sure the network is: as -log p_y it is 0 from a difference of 37 on.
    """
    index = y[:, None]
    logits = logits.double()
    others = logits.scatter(1, index, -torch.inf).logsumexp(1)
    return others - logits.gather(1, index).squeeze(1)
