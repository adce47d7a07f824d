"""Names of quantities that a stage writes and the outline of a study expects."""

from typing import get_args

from robustinfo.core.settings import Norm

UNION = "union"  # the entry of rows over all threat models: what is robust in each norm
NETWORK_ACCURACY = "network_accuracy"
# Of the images that a detector is applied to.
MEDIANS = tuple(f"median_{norm}" for norm in get_args(Norm))  # of distances
DETECTION_SIZES = ("attack_success_rate_8bit", *MEDIANS)
COMPLEXITY_QUANTITIES = ("mean", "clean_mean", "auc")
FALSE_POSITIVE_RATES = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
WORD_QUANTITIES = ("mean", "clean_mean", "difference")
OF_SNAPSHOTS = "measure"  # a stage; its rows have an epoch, unless the network has no snapshots


def measure_quantity(measure: str, quantity: str) -> str:
    """``measure/quantity``: a quantity of a measure in rows whose entry is a distortion."""
    return f"{measure}/{quantity}" if measure else quantity
