"""TEMPLATE: the variance of a layer's outputs, on average. Write here what yours estimates.

Say who published it, where (arXiv id, equation), its unit and its known bias.
"""

from torch import Tensor

from robustinfo.core.measurement import Measurement
from robustinfo.core.settings import Outline, Settings

POINTS = "probes"


class Config(Settings):
    pass


def outline(config: Config) -> Outline:
    """What its rows are called.

    TEMPLATE  variance over the samples, mean over the layer's outputs, in their squared unit
    """
    return [{"quantity": ("TEMPLATE",)}]


def estimate(t: Tensor, y: Tensor, *, config: Config) -> list[Measurement]:
    """t: (n, d) activations.  y: (n,) labels, not used."""
    return [Measurement("TEMPLATE", t.double().var(0, correction=0).mean().item())]
