"""TEMPLATE: the variance of a layer's outputs.

Write here what yours estimates, who published it, where (arXiv id, equation), its unit and its
known bias.
"""

from torch import Tensor

from robustinfo.core.measurement import Measurement
from robustinfo.core.settings import Outline, Settings

POINTS = "probes"


class Config(Settings):
    pass


def outline(config: Config) -> Outline:
    """The names of its rows.

    TEMPLATE  variance over the samples, mean over the outputs
    """
    return [{"quantity": ("TEMPLATE",)}]


def estimate(t: Tensor, y: Tensor, *, config: Config) -> list[Measurement]:
    """t: (n, d) activations.  y: (n,) labels, not used."""
    variance = t.double().var(0, correction=0).mean().item()
    return [Measurement("TEMPLATE", variance)]
