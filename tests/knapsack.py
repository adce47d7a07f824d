"""The worst case of a linear classifier within an l1 ball and the box [0, 1], by loops."""

from types import SimpleNamespace

import torch
from torch import Tensor

from tests.conftest import linear_problem


def at_the_edges(epsilon: float, classes: int = 5) -> SimpleNamespace:
    """A linear classifier of 8 x 8 pixels, and images many of whose values are 0 or 1.

    model, x (96, 1, 8, 8), y; worst (96,): the most by which a wrong class can lead.
    """
    p, generator = linear_problem(classes, pixels=8), torch.Generator().manual_seed(3)
    x = (1.6 * torch.rand(300, 1, 8, 8, generator=generator) - 0.3).clamp(0, 1)
    first, second = p.model(x).detach().topk(2).values.unbind(1)
    x = x[(first - second).topk(96).indices]  # else nearly all could be broken
    logits = p.model(x).detach()
    y = logits.argmax(1)
    worst = worst_leads(logits, p.weight, x, y, epsilon)
    return SimpleNamespace(model=p.model, x=x, y=y, worst=worst)


def worst_leads(logits: Tensor, weight: Tensor, x: Tensor, y: Tensor, epsilon: float) -> Tensor:
    """The most by which a wrong class can lead the label, (n,) float64.

    logits: (n, K) at x.  weight: (K, d).  x: (n, ...) in [0, 1].  y: (n,) labels.
    """
    found = []
    for image, row, label in zip(x.flatten(1).double(), logits.double(), y.tolist(), strict=True):
        leads = [
            _filled(image.tolist(), (weight[k] - weight[label]).tolist(), epsilon)
            + (row[k] - row[label]).item()
            for k in range(len(weight))
            if k != label
        ]
        found.append(max(leads))
    return torch.tensor(found, dtype=torch.double)


def _filled(image: list[float], gains: list[float], epsilon: float) -> float:
    """What is gained where the best values go to the edge, until epsilon is spent."""
    gained = 0.0
    for gain, value in sorted(zip(gains, image, strict=True), key=lambda pair: -abs(pair[0])):
        room = min(epsilon, 1 - value if gain > 0 else value)
        gained, epsilon = gained + room * abs(gain), epsilon - room
    return gained
