"""I(T;Y) and, where the inputs are given, I(X;T), from distances of nearest neighbours (KSG).

Kraskov et al. (2004), arXiv cond-mat/0305641; for the label Ross (2014), PLoS ONE 9(2). Formulas
and ties: ``maths/neighbours.py``. Nearly without bias in few dimensions. In many, neighbours are
far, the density is not constant around a sample, and both fall far below the truth; strong
dependence needs samples that grow as 2^I (Gao et al. 2015, arXiv 1411.2003). The ceiling of I(X;T)
is psi(n) - psi(k + 1), about log2(n / k) bits, however much there is. That of I(T;Y) is H(Y):
there classes are apart, which is what it says, so it never counts as saturated.

Of a network without noise I(X;T) is infinite, or the entropy of X, and this is no estimate of it:
read it as how far neighbours stay neighbours. A layer that holds a value that is not finite has the
value nan.
"""

import math
from typing import Literal

from pydantic import PositiveInt
from torch import Tensor

from robustinfo.core.measurement import Measurement
from robustinfo.core.settings import Outline, Settings
from robustinfo.maths.neighbours import ksg_bits, ksg_ceiling_bits, ross_bits
from robustinfo.measures._shared import FULL, finite

POINTS = "probes"
SEES_INPUTS = True  # x is handed on


class Config(Settings):
    neighbours: PositiveInt = 3  # k; more: less variance, more bias
    algorithm: Literal[1, 2] = 1  # of the paper, for I(X;T): cubes or rectangles


def outline(config: Config) -> Outline:
    """The names of its rows.

    information_input_bits  I(X;T), of the layer and the input, in bits
    information_label_bits  I(T;Y), of the layer and the label, in bits
    """
    return [{"quantity": ("information_input_bits", "information_label_bits")}]


def estimate(t: Tensor, y: Tensor, *, config: Config, x: Tensor | None = None) -> list[Measurement]:
    """Both in bits, either below 0 by chance.  t: (n, d).  y: (n,) labels.  x: (n, ...), or None.

    Raises ValueError for fewer than k + 2 samples, or where no two share a label.
    """
    n, k = len(t), config.neighbours
    known = finite(t)
    found = []
    if x is not None:
        ceiling = ksg_ceiling_bits(n, k)
        value = ksg_bits(x, t, k, rectangles=config.algorithm == 2) if known else math.nan
        full = value >= FULL * ceiling
        found.append(
            Measurement("information_input_bits", value, n=n, ceiling=ceiling, saturated=full)
        )
    value, ceiling = ross_bits(t if known else t.new_zeros(n, 1), y, k)
    value = value if known else math.nan
    return [
        *found,
        Measurement("information_label_bits", value, n=n, ceiling=ceiling, saturated=False),
    ]
