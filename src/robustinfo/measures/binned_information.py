"""I(T;X) and I(T;Y) of a representation cut into bins; the whole layer vector is one symbol.

Shwartz-Ziv and Tishby (2017), arXiv 1703.00810. Either bins of a fixed ``width`` (floor(t / width),
for unbounded activations), or ``bins`` equal ones over the layer's own range (for bounded
activations). Biased upwards as soon as few samples share a symbol: it saturates at log2 n. A layer
that holds a value that is not finite has the value nan.
"""

import math
from typing import Self

import numpy as np
from pydantic import PositiveInt, model_validator
from torch import Tensor

from robustinfo.core.measurement import Measurement
from robustinfo.core.settings import Outline, PositiveNumber, Settings
from robustinfo.maths.binning import entropies_bits, symbols
from robustinfo.measures._shared import INFORMATION, UNKNOWN, information_bits

POINTS = "probes"


class Config(Settings):
    width: PositiveNumber | None = None  # of a bin, for unbounded activations; or `bins`
    bins: PositiveInt | None = None  # equal ones over the layer's range; or `width`

    @model_validator(mode="after")
    def one_of_both(self) -> Self:
        """Width and bins exclude each other."""
        if (self.width is None) == (self.bins is None):
            raise ValueError("give either `width` or `bins`, not both and not neither")
        return self


def outline(config: Config) -> Outline:
    """The names of its rows.

    information_input_bits  I(T;X), of the layer and the input, in bits
    information_label_bits  I(T;Y), of the layer and the label, in bits
    redundancy_bits  R(T;Y) = I(T;X) - I(T;Y): what the layer holds beside the label, in bits
    """
    return [{"quantity": INFORMATION}]


def estimate(t: Tensor, y: Tensor, *, config: Config) -> list[Measurement]:
    """I(T;X), I(T;Y) and R(T;Y) in bits.  t: (n, d) activations.  y: (n,) labels."""
    low, high = (end.item() for end in t.aminmax())
    if not (math.isfinite(low) and math.isfinite(high)):
        return information_bits(*UNKNOWN, y.tolist())
    width, origin = config.width, 0.0
    if width is None:
        # A hair wider than the range, so that the maximum falls into the last bin.
        bins = config.bins or 1  # one_of_both: there are
        width, origin = max((high - low) / bins * (1 + 1e-9), 1e-300), low
    ends = t.new_tensor([[low], [high]])
    if symbols(ends, width, origin).any():
        ids = symbols(t, width, origin)
    else:  # where the least and the greatest value share a bin, all do
        ids = np.zeros(len(t), dtype=np.int64)
    return information_bits(*entropies_bits(ids, y.cpu().numpy()), y.tolist())
