"""Small ReLU networks solved exactly within linf: what no attack can turn, and what one can.

Tjeng, Xiao and Tedrake (2019), arXiv 1711.07356: the largest lead of a wrong class over a box of
inputs is a mixed-integer linear programme, with a binary variable for each ReLU whose input may
have either sign there. Interval arithmetic bounds these inputs. scipy's HiGHS gives an upper bound
of the maximum, which proves an image safe, and a point, which is lifted to an image and evaluated.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import Bounds, LinearConstraint, milp
from torch import Tensor, nn

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


def solved(network: nn.Sequential, x: Tensor, y: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
    """Which images are safe, and which are broken, within epsilon of linf: (n,) bool each.

    network: an average pooling, flatten, linear layers with ReLU between them.  x: (n, 1, h, w) in
    [0, 1].  y: (n,) labels. An image is neither where its worst lead is within MARGIN of 0.
    """
    layers = layers_of(network)
    with torch.no_grad():
        found = [
            _solved(network, layers, image[None].double(), label[None], epsilon)
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
    network: nn.Sequential, layers: list[Affine], x: Tensor, y: Tensor, epsilon: float
) -> tuple[bool, bool]:
    pool, safe = network[0], True
    low, high = (x - epsilon).clamp(min=0), (x + epsilon).clamp(max=1)
    box = Box(*(pool(end).flatten().numpy() for end in (low, high)))
    for upper, point in worst_leads(layers, box, int(y)):
        safe &= upper < -MARGIN
        if point is not None:
            worst = _lifted(point, box, low, high)
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


def worst_leads(
    layers: list[Affine], box: Box, y: int
) -> Iterator[tuple[float, np.ndarray | None]]:
    """For every wrong class, an upper bound of its lead over y in the box, and the point where it
    is largest, (d,), or None where interval arithmetic excludes a lead.
    """
    *hidden, last = layers
    reach = []  # of every hidden layer, before its ReLU
    inner = box
    for layer in hidden:
        reach.append(_through(layer, inner))
        inner = Box(*(np.maximum(end, 0) for end in reach[-1]))
    for wrong in set(range(len(last.bias))) - {y}:
        lead = Affine(last.weight[[wrong]] - last.weight[[y]], last.bias[[wrong]] - last.bias[[y]])
        bound = float(_through(lead, inner).high[0])
        yield (bound, None) if bound < -MARGIN else _largest(hidden, reach, box, lead)


def _through(layer: Affine, box: Box) -> Box:
    middle = layer.weight @ ((box.low + box.high) / 2) + layer.bias
    radius = np.abs(layer.weight) @ ((box.high - box.low) / 2)
    return Box(middle - radius, middle + radius)


def _largest(
    hidden: list[Affine], reach: list[Box], box: Box, lead: Affine
) -> tuple[float, np.ndarray]:
    """An upper bound of the lead, and a point of the box that reaches it but for tolerances.

    Variables: the inputs, then of each layer its outputs h and its binaries a, which say whether
    z = W h' + b is positive:  h >= z,  h <= z - L (1 - a),  h <= U a,  0 <= h,  with L <= z <= U.
    """
    sizes = [len(box.low), *(2 * len(layer.bias) for layer in hidden)]
    ends, count = np.cumsum(sizes), sum(sizes)
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
