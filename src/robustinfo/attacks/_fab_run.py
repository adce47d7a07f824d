"""FAB's runs: towards the boundary and back to x, for several targets in one batch.

Croce and Hein (2020), arXiv 1907.02044, algorithm 1, step by step as in pyautoattack, whose
projections these are. A step goes to the nearest boundary of the linearised classifier, ``ETA``
times as far, once from the current image and once from x; the two ends are averaged, with x's
weight at most ``ALPHA``, by their distances. A misclassified image is moved back towards x by
``BETA``, and the nearest one is kept.
"""

from functools import partial

import torch
from pyautoattack.fab_projections import projection_l1, projection_l2, projection_linf
from torch import Tensor, nn

from robustinfo.attacks._bfloat16 import bfloat16_logits
from robustinfo.attacks._planes import dual_norm, hyperplanes
from robustinfo.core.batches import quick_batch
from robustinfo.maths.balls import distance

ALPHA, BETA, ETA = 0.1, 0.9, 1.05
STABLE = 1e-12  # added to the norm of a gradient, to divide by
SMALLEST = 1e-8  # what a distance to a boundary is taken for at least
_PROJECTION = {"linf": projection_linf, "l2": projection_l2, "l1": projection_l1}


@torch.no_grad()
def run(
    network: nn.Module,
    x: Tensor,
    y: Tensor,
    classes: Tensor,
    *,
    start: Tensor,
    norm: str,
    steps: int,
    bfloat16: bool = False,
) -> Tensor:
    """The nearest misclassified images, like x; x where there is none.

    classes: (n, 1 + k), the label and the targets.  start: like x.  bfloat16: of the gradients.
    """
    at, nearest, smallest = start, x.clone(), torch.full_like(y, torch.inf, dtype=x.dtype)
    climbed = partial(bfloat16_logits, network, y=y) if bfloat16 else network
    for _ in range(steps):
        differences, gradients = hyperplanes(climbed, at, classes)
        closest = (differences.abs() / (STABLE + dual_norm(gradients, norm))).argmin(1)
        each = torch.arange(len(at), device=x.device), closest
        at = _stepped(at, x, differences[each], gradients[each], norm)
        wrong = network(at).argmax(1) != y
        size = distance(at - x, norm)
        closer = wrong & (size < smallest)
        nearest[closer], smallest[closer] = at[closer], size[closer]
        at = torch.where(wrong[:, None, None, None], x + BETA * (at - x), at)
    return nearest


def _stepped(at: Tensor, x: Tensor, difference: Tensor, gradient: Tensor, norm: str) -> Tensor:
    """Beyond the boundary where the difference, (n,), is 0; gradient: (n, d). Like x."""
    offset = (gradient * at.flatten(1)).sum(1) - difference
    both = torch.cat([at, x]).flatten(1)
    deltas = _PROJECTION[norm](both, gradient.repeat(2, 1), offset.repeat(2))
    near, far = distance(deltas, norm).clamp(min=SMALLEST).view(2, -1, 1, 1, 1)
    weight = (near / (near + far)).clamp(max=ALPHA)
    from_at, from_x = deltas.view(2, *x.shape)
    return ((at + ETA * from_at) * (1 - weight) + (x + ETA * from_x) * weight).clamp(0, 1)


@torch.no_grad()
def run_targets(
    network: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    norm: str,
    epsilon: float,
    steps: int,
    targets: int,
    bfloat16: bool = False,
) -> Tensor:
    """Misclassified images within epsilon, like x, by runs to the likeliest wrong classes; or x.

    As many targets as fit are in one batch; a broken image is in none that follows.
    """
    x_adv, unbroken, first = x.clone(), torch.arange(len(y), device=y.device), 0
    ranked = network(x).sort(1).indices.flip(1)[:, 1 : targets + 1]
    while len(unbroken) and first < targets:
        together = max(1, quick_batch(x) // len(unbroken))
        aims = ranked[unbroken, first : first + together]
        rows = unbroken.repeat_interleave(aims.shape[1])
        a, b, classes = x[rows], y[rows], torch.stack([y[rows], aims.flatten()], 1)
        found = run(network, a, b, classes, start=a, norm=norm, steps=steps, bfloat16=bfloat16)
        success = (network(found).argmax(1) != b) & (distance(found - a, norm) <= epsilon)
        success, found = success.view_as(aims), found.view(*aims.shape, *x.shape[1:])
        broken = success.any(1)
        x_adv[unbroken[broken]] = found[broken, success[broken].int().argmax(1)]
        unbroken, first = unbroken[~broken], first + aims.shape[1]
    return x_adv
