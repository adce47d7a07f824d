"""I(T;Y) and, where the inputs are given, I(X;T), by the matrix-based Renyi entropy.

Sanchez Giraldo et al. (2015), arXiv 1211.2459; formulas in ``maths/renyi.py``. Gaussian kernels
whose width is ``width`` times the median distance of two samples, so that T and a T + b are the
same; labels are alike or are not. It is an information of its own: the width decides how far it is
from Shannon's, below for a wide kernel, above, up to log2 n, for a narrow one, and above in many
dimensions, where all samples are as far apart. At log2 of the batch it says nothing. I(T;Y) is at
most the label's own entropy, and saturated as soon as samples are all apart to the kernel. Sides
that have nothing to do with each other are above 0: 0.3 bits of two numbers, 1.1 of two pairs.

Values are the mean over batches of ``batch_size``, as a matrix of n samples costs n^3. A layer that
holds a value that is not finite has the value nan.
"""

import math
from typing import Annotated

import torch
from pydantic import AfterValidator, Field
from torch import Tensor

from robustinfo.core.measurement import Measurement
from robustinfo.core.settings import Outline, PositiveNumber, Settings
from robustinfo.maths.kernels import gaussian, median_sigma, same_label
from robustinfo.maths.renyi import entropy_bits
from robustinfo.measures._shared import FULL, equal_batches, finite

POINTS = "probes"
SEES_INPUTS = True  # x is handed on


def _not_one(alpha: float) -> float:
    if alpha == 1:
        raise ValueError("alpha 1 is 0 / 0 in the formula; take 1.01")
    return alpha


class Config(Settings):
    alpha: Annotated[PositiveNumber, AfterValidator(_not_one)] = 1.01  # order of the entropy
    width: PositiveNumber = 0.5  # of a kernel, over the median distance of two samples
    batch_size: int = Field(100, gt=3)  # samples of an estimate, whose mean is told


def outline(config: Config) -> Outline:
    """The names of its rows.

    information_input_bits  I(X;T), of the layer and the input, in bits
    information_label_bits  I(T;Y), of the layer and the label, in bits
    """
    return [{"quantity": ("information_input_bits", "information_label_bits")}]


@torch.no_grad()
def estimate(t: Tensor, y: Tensor, *, config: Config, x: Tensor | None = None) -> list[Measurement]:
    """Means over batches, in bits.  t: (n, d) activations.  y: (n,) labels.  x: (n, ...), or None.

    Raises ValueError if n is less than a batch; what is left over of the last one is not used.
    """
    sides = {"input": x.flatten(1), "label": y} if x is not None else {"label": y}
    of_batches: dict[str, list[tuple[float, float, float]]] = {name: [] for name in sides}
    known = finite(t)
    t = t if known else torch.zeros_like(t)  # whose values are not told
    for part, *others in equal_batches(config.batch_size, t, *sides.values()):
        of_t = _kernel(part, config.width)
        h_t = entropy_bits(of_t, config.alpha)
        for name, other in zip(sides, others, strict=True):
            of_other = same_label(other) if name == "label" else _kernel(other, config.width)
            h_other = entropy_bits(of_other, config.alpha)
            together = entropy_bits(of_t * of_other, config.alpha)
            of_batches[name].append((h_t + h_other - together, h_t, h_other))
    most = math.log2(config.batch_size)
    found = []
    for name, batches in of_batches.items():
        value, h_t, h_other = (sum(column) / len(batches) for column in zip(*batches, strict=True))
        ceiling = h_other if name == "label" else most
        saturated = known and (h_t if name == "label" else value) >= FULL * most
        value = value if known else math.nan
        found.append(
            Measurement(
                f"information_{name}_bits", value, n=len(t), ceiling=ceiling, saturated=saturated
            )
        )
    return found


def _kernel(t: Tensor, width: float) -> Tensor:
    """(m, d) -> (m, m) float64, with a unit diagonal."""
    return gaussian(t.double(), width * median_sigma(t.double())) + 1
