"""I(T;Y) and, where the inputs are given, I(X;T), as lower bounds by InfoNCE.

van den Oord et al. (2018), arXiv 1807.03748; the bound in ``maths/info_nce.py``, its critic in
``measures/_critic.py``. The samples are cut into two halves; a critic learns from one and bounds
the information of the other, and the value is the mean of both ways. So it is a lower bound in the
mean, biased downwards by what the critic did not learn: much, where samples are few or many bits
are to be told; below 0 where it learnt nothing but noise. The ceiling of I(X;T) is log2 of a half;
that of I(T;Y) the entropy of the label, where it says that classes are told apart, and so never
counts as saturated.

Of a network without noise I(X;T) is infinite, or the entropy of X: the bound then is a statement on
the critic. A layer that holds a value that is not finite has the value nan.
"""

import math

import torch
from pydantic import NonNegativeInt
from torch import Tensor
from torch.nn import functional as F

from robustinfo.core.errors import UserError
from robustinfo.core.measurement import Measurement
from robustinfo.core.settings import Outline, Settings
from robustinfo.maths.alike import row_hashes
from robustinfo.maths.entropy import plug_in_bits
from robustinfo.measures._critic import Pairs, held_out_bits
from robustinfo.measures._shared import FULL, finite

POINTS = "probes"
SEES_INPUTS = True  # x is handed on
LEAST = 20  # samples; of fewer, nothing is left to learn from


class Config(Settings):
    seed: NonNegativeInt = 0  # of the critic's weights and batches


def outline(config: Config) -> Outline:
    """The names of its rows.

    information_input_bits  I(X;T), of the layer and the input, in bits
    information_label_bits  I(T;Y), of the layer and the label, in bits
    """
    return [{"quantity": ("information_input_bits", "information_label_bits")}]


@torch.enable_grad()
def estimate(t: Tensor, y: Tensor, *, config: Config, x: Tensor | None = None) -> list[Measurement]:
    """Both bounds in bits.  t: (n, d) activations.  y: (n,) labels.  x: (n, ...), or None.

    Raises ValueError for fewer than 20 samples.
    """
    n = len(t)
    if n < LEAST:
        raise UserError(f"{n} samples are too few for a critic to learn from: give {LEAST} or more")
    _, labels = y.unique(return_inverse=True)
    sides = {"input": x.detach().flatten(1).float()} if x is not None else {}
    sides["label"] = F.one_hot(labels).float()
    t, order = t.detach().float(), _order(t.detach(), *sides.values())
    halves = order[: n // 2], order[n // 2 : 2 * (n // 2)]
    entropy = sum(plug_in_bits(labels[half].bincount()).item() for half in halves) / 2
    found = []
    for name, side in sides.items():
        value = _both_ways(t, side, halves, config.seed) if finite(t) else math.nan
        ceiling = entropy if name == "label" else math.log2(n // 2)
        saturated = name == "input" and value >= FULL * ceiling
        found.append(
            Measurement(
                f"information_{name}_bits", value, n=n, ceiling=ceiling, saturated=saturated
            )
        )
    return found


def _order(*sides: Tensor) -> Tensor:
    """The samples by chance, but the same whatever order they are given in: (n,) indices."""
    known = torch.stack([row_hashes(side) for side in sides]).sum(0).argsort()
    return known[torch.randperm(len(known), generator=torch.Generator().manual_seed(0))]


def _both_ways(t: Tensor, side: Tensor, halves: tuple[Tensor, Tensor], seed: int) -> float:
    one, other = (Pairs(t[half], side[half]) for half in halves)
    generator = torch.Generator().manual_seed(seed)
    ways = ((one, other), (other, one))
    return sum(held_out_bits(*way, generator=generator) for way in ways) / 2
