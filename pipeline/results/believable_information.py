"""Which estimates of information may be believed, by the calibration (docs/information.md).

A rule stands for a method, and for what its layer is known to tell of. It holds in as many
dimensions and from as many samples on as the root mean square error of one estimate was at most
10 % of the truth on every channel of studies/calibrated-information.yaml that asks it, and below
the share of the ceiling that was reached there. What has no rule is not believed: that is every
I(T;X) but that of bins, since the inputs have hundreds of dimensions, and a kernel's bounds lie
15 % or more off.
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
    most_share: float = 1.0  # of the ceiling; an estimate at it is never believed


RULES = {
    ("binned_information", "input"): Rule(5, 300, 0.75),
    ("binned_information", "label"): Rule(1, 1000),
    ("kde_information", "label"): Rule(2, 3000),
    ("ksg_information", "label"): Rule(10, 1000),
    ("info_nce_information", "label"): Rule(5, 3000),
    ("renyi_information", "label"): Rule(2, 300),
}
SIDES = {"information_input_bits": "input", "information_label_bits": "label"}


class Estimate(NamedTuple):
    """An estimate of a layer's information."""

    value: float
    ceiling: float
    n: float
    saturated: bool


def may_be_believed(measure: Entry, quantity: str, dimension: float, estimate: Estimate) -> bool:
    """Whether an estimate in bits may be believed; True of what is no estimate of information.

    measure: the entry that made it.  dimension: of the layer, nan where it is not known.
    """
    side = next((side for start, side in SIDES.items() if quantity.startswith(start)), None)
    if side is None:
        return True
    rule = RULES.get((measure["method"], side))
    if rule is None or estimate.saturated:
        return False
    return (
        dimension <= rule.most_dimensions
        and estimate.n >= rule.least_samples
        and estimate.value <= rule.most_share * estimate.ceiling
    )


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
