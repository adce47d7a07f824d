"""Kernel-density bounds on I(T;X), and estimates of I(T;Y) with the same kernels.

Kolchinsky and Tracey (2017), arXiv 1706.02419; formulas in ``maths/kde.py``. The two values of
I(T;X) are an upper and a lower bound for a representation with noise of the given variance;
a difference of bounds is no bound, so both values of I(T;Y) are estimates. Wide layers
saturate at log2 n: the flag says so.
"""

from torch import Tensor

from robustinfo.maths.kde import kernel_entropies_bits
from robustinfo.measures._estimate import Estimate, information_bits
from robustinfo.settings import PositiveNumber, Settings

POINTS = "probes"


class Config(Settings):
    noise_variance: PositiveNumber = 0.1  # s^2, as arXiv 1706.00476 and its successors


def estimate(t: Tensor, y: Tensor, *, config: Config) -> dict[str, Estimate]:
    """t: (n, d) activations.  y: (n,) labels.  Bits; ``_upper`` and ``_lower`` name the kernel."""
    found = {}
    for bound, factor in {"upper": 2, "lower": 8}.items():
        whole, within = kernel_entropies_bits(t, y, factor * config.noise_variance)
        values = information_bits(whole, within, y.tolist())
        found |= {f"{name}_{bound}": value for name, value in values.items()}
    return found
