"""Which estimates of information may be believed, by the calibration (docs/information.md).

A rule stands for a method and what its layer is known to tell of, where the root mean square error
of one estimate was at most 10 % of the truth, and the estimate not at its ceiling, on every channel
of studies/calibrated-information.yaml, in so many dimensions or fewer, from so many samples on. Of
what has no rule, no estimate is believed: that is every I(T;X) of a layer of more than a few
dimensions.
"""

import math
from typing import NamedTuple

from pipeline.study.entries import SHAPES, network
from robustinfo.core import registry
from robustinfo.core.settings import Entry


class Rule(NamedTuple):
    """Where an estimator may be believed."""

    most_dimensions: int
    least_samples: int


RULES = {
    ("ksg_information", "label"): Rule(10, 1000),
    ("info_nce_information", "label"): Rule(10, 3000),
    ("renyi_information", "label"): Rule(5, 1000),
    ("kde_information", "label"): Rule(2, 3000),
    ("binned_information", "label"): Rule(2, 3000),
    ("ksg_information", "input"): Rule(2, 300),
    ("binned_information", "input"): Rule(2, 1000),
}
BITS = {"information_input_bits": "input", "information_label_bits": "label"}


def may_be_believed(
    measure: Entry, quantity: str, *, dimension: float, n: float, saturated: bool
) -> bool:
    """Whether an estimate in bits may be believed; True of what is no estimate of information.

    measure: the entry that made it.  dimension: of the layer, nan where it is not known.
    """
    side = next((BITS[start] for start in BITS if quantity.startswith(start)), None)
    if side is None:
        return True
    rule = RULES.get((measure["method"], side))
    if rule is None or saturated:
        return False
    return dimension <= rule.most_dimensions and n >= rule.least_samples


def layer_width(model: Entry, layer: str | None) -> float:
    """The values of a layer, of images of SHAPES; nan without a layer."""
    import torch

    if layer is None:
        return math.nan
    reads = registry.reads("models", model) or "images"
    kind = torch.long if reads == "texts" else torch.float
    with torch.device("meta"), torch.no_grad():
        x = torch.zeros(2, *(SHAPES[reads][:1] if reads == "texts" else SHAPES[reads]), dtype=kind)
        return float(network(model).eval().observe(x, (layer,))[1][layer].shape[1])
