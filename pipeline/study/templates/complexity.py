"""TEMPLATE: total variation, the mean difference of neighbours.

Write here what yours measures, who published it, where (arXiv id, equation), its unit and its
known bias.
"""

from torch import Tensor

from robustinfo.core.settings import Settings


class Config(Settings):
    pass


def measure(images: Tensor, *, config: Config) -> Tensor:
    """Levels of 255 per pair of neighbours, (n,) float64.  images: (n, c, h, w) uint8."""
    values = images.double()
    across = values.diff(dim=3).abs().flatten(1).mean(1)
    down = values.diff(dim=2).abs().flatten(1).mean(1)
    return (across + down) / 2
