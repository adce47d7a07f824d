"""Small ReLU networks solved exactly in linf and l1: what no attack can turn, and what one can.

Tjeng, Xiao and Tedrake (2019), arXiv 1711.07356: the largest lead of a wrong class over a box of
inputs is a mixed-integer linear programme, with a binary variable for each ReLU whose input may
have either sign there. Interval arithmetic bounds these inputs. scipy's HiGHS gives an upper bound
of the maximum, which proves an image safe, and a point, which is lifted to an image and evaluated.
In l1 the programme has the change of every input besides: that of an average of m pixels by c takes
a change of these by m c together.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import Bounds, LinearConstraint, milp
from torch import Tensor, nn

from robustinfo.maths.balls import distance
from robustinfo.maths.margin import margin

MARGIN = 1e-3  # of a logit: who leads by less is neither safe nor broken


class Affine(NamedTuple):
    """A linear layer: weight (m, d) and bias (m,), float64."""

    weight: np.ndarray
    bias: np.ndarray


class Box(NamedTuple):
    """Bounds of values, (d,) each."""

    low: np.ndarray
    high: np.ndarray


class Budget(NamedTuple):
    """What all changes of the inputs may add up to, and where they are counted from, (d,)."""

    most: float
    middle: np.ndarray


def solved(
    network: nn.Sequential, x: Tensor, y: Tensor, epsilon: float, norm: str = "linf"
) -> tuple[Tensor, Tensor]:
    """Which images are safe, and which are broken, within epsilon of linf or l1: (n,) bool each.

    network: an average pooling, flatten, linear layers with ReLU between them.  x: (n, 1, h, w) in
    [0, 1].  y: (n,) labels. An image is neither where its worst lead is within MARGIN of 0.
    """
    layers = layers_of(network)
    with torch.no_grad():
        found = [
            _solved(network, layers, image[None].double(), label[None], epsilon, norm)
            for image, label in zip(x, y, strict=True)
        ]
    safe, broken = zip(*found, strict=True)
    return torch.tensor(safe), torch.tensor(broken)


def layers_of(network: nn.Sequential) -> list[Affine]:
    linear = [one for one in network if isinstance(one, nn.Linear)]
    return [
        Affine(*(w.detach().double().numpy() for w in (one.weight, one.bias))) for one in linear
    ]


def _solved(
    network: nn.Sequential,
    layers: list[Affine],
    x: Tensor,
    y: Tensor,
    epsilon: float,
    norm: str,
) -> tuple[bool, bool]:
    pool, safe, budget = network[0], True, None
    low, high = (x - epsilon).clamp(min=0), (x + epsilon).clamp(max=1)
    box = Box(*(pool(end).flatten().numpy() for end in (low, high)))
    if norm == "l1":
        middle = pool(x).flatten().numpy()
        budget = Budget(epsilon * len(middle) / x.numel(), middle)
        reach = budget.most
        box = Box((middle - reach).clip(0), (middle + reach).clip(max=1))
    for upper, point in worst_leads(layers, box, int(y), budget):
        safe &= upper < -MARGIN
        if point is not None:
            worst = _lifted(point, box, low, high)
            if budget is not None:
                worst = _spent(point, pool, x, epsilon)
            lead = -margin(network.double()(worst), y)
            network.float()
            if lead > MARGIN:
                return False, True
    return safe, False


def _lifted(point: np.ndarray, box: Box, low: Tensor, high: Tensor) -> Tensor:
    """The image between low and high, (1, 1, h, w), whose averages are the point."""
    span = box.high - box.low
    way = (point - box.low) / np.where(span > 0, span, 1)
    side = int(low.shape[-1] // len(way) ** 0.5)
    shares = torch.from_numpy(way).view(1, 1, low.shape[-2] // side, -1)
    shares = shares.repeat_interleave(side, 2).repeat_interleave(side, 3).clamp(0, 1)
    return low + shares * (high - low)


def _spent(point: np.ndarray, pool: nn.Module, x: Tensor, epsilon: float) -> Tensor:
    """The image, (1, 1, h, w), whose averages are the point, all pixels of one moved one way.

    Nearer to x by what the solver's tolerances add up to.
    """
    middle = pool(x)
    goal = torch.from_numpy(point).clamp(0, 1).view_as(middle)
    up, down = (goal - middle).clamp(min=0), (middle - goal).clamp(min=0)
    side = x.shape[-1] // middle.shape[-1]
    up, down = (
        share.nan_to_num(0).repeat_interleave(side, 2).repeat_interleave(side, 3)
        for share in (up / (1 - middle), down / middle)
    )
    delta = up * (1 - x) - down * x
    return x + delta * (epsilon / distance(delta, "l1")).clamp(max=1)


def worst_leads(
    layers: list[Affine], box: Box, y: int, budget: Budget | None = None
) -> Iterator[tuple[float, np.ndarray | None]]:
    """For every wrong class, an upper bound of its lead over y in the box, and the point where it
    is largest, (d,), or None where interval arithmetic excludes a lead.
    """
    *hidden, last = layers
    reach = []  # of every hidden layer, before its ReLU
    inner = box
    for layer in hidden:
        reach.append(_through(layer, inner))
        if budget is not None and layer is hidden[0]:
            reach[0] = _within(layer, budget, reach[0])
        inner = Box(*(np.maximum(end, 0) for end in reach[-1]))
    for wrong in set(range(len(last.bias))) - {y}:
        lead = Affine(last.weight[[wrong]] - last.weight[[y]], last.bias[[wrong]] - last.bias[[y]])
        bound = float(_through(lead, inner).high[0])
        yield (bound, None) if bound < -MARGIN else _largest(hidden, reach, box, lead, budget)


def _through(layer: Affine, box: Box) -> Box:
    middle = layer.weight @ ((box.low + box.high) / 2) + layer.bias
    radius = np.abs(layer.weight) @ ((box.high - box.low) / 2)
    return Box(middle - radius, middle + radius)


def _within(layer: Affine, budget: Budget, box: Box) -> Box:
    """The box, cut to what one input can do alone, on which all of the budget is spent."""
    middle = layer.weight @ budget.middle + layer.bias
    radius = np.abs(layer.weight).max(1) * budget.most
    return Box(np.maximum(box.low, middle - radius), np.minimum(box.high, middle + radius))


def _largest(
    hidden: list[Affine], reach: list[Box], box: Box, lead: Affine, budget: Budget | None
) -> tuple[float, np.ndarray]:
    """An upper bound of the lead, and a point of the box that reaches it but for tolerances.

    Variables: the inputs, then of each layer its outputs h and its binaries a, which say whether
    z = W h' + b is positive:  h >= z,  h <= z - L (1 - a),  h <= U a,  0 <= h,  with L <= z <= U.
    With a budget the changes t of the inputs follow:  t >= |x' - x|,  the sum of t <= the budget.
    """
    sizes = [len(box.low), *(2 * len(layer.bias) for layer in hidden)]
    d = len(box.low)
    ends, count = np.cumsum(sizes), sum(sizes) + d * (budget is not None)
    low, high, whole = np.zeros(count), np.full(count, np.inf), np.zeros(count)
    low[: ends[0]], high[: ends[0]] = box
    before, rows = slice(0, int(ends[0])), []
    for layer, (least, most), end in zip(hidden, reach, ends[:-1], strict=True):
        m = len(layer.bias)
        h, a = slice(int(end), int(end) + m), slice(int(end) + m, int(end) + 2 * m)
        low[a], high[a], whole[a] = least >= 0, most > 0, 1
        least, most = np.minimum(least, 0), np.maximum(most, 0)
        upper = np.zeros((3 * m, count))
        upper[:m, before], upper[:m, h] = layer.weight, -np.eye(m)
        upper[m : 2 * m, before], upper[m : 2 * m, h] = -layer.weight, np.eye(m)
        upper[m : 2 * m, a] = -np.diag(least)
        upper[2 * m :, h], upper[2 * m :, a] = np.eye(m), -np.diag(most)
        rows.append((upper, np.concatenate([-layer.bias, layer.bias - least, np.zeros(m)])))
        before = h
    if budget is not None:
        counted = np.zeros((2 * d + 1, count))
        counted[:d, :d], counted[d : 2 * d, :d] = np.eye(d), -np.eye(d)
        counted[: 2 * d, -d:] = np.vstack([-np.eye(d), -np.eye(d)])
        counted[-1, -d:] = 1
        rows.append((counted, np.concatenate([budget.middle, -budget.middle, [budget.most]])))
    objective = np.zeros(count)
    objective[before] = -lead.weight[0]
    found = milp(
        objective,
        integrality=whole,
        bounds=Bounds(low, high),
        constraints=[LinearConstraint(matrix, ub=most) for matrix, most in rows],
    )
    assert found.status == 0, found.message
    bound = found.fun if found.mip_dual_bound is None else found.mip_dual_bound
    return float(lead.bias[0] - bound), found.x[: len(box.low)]
