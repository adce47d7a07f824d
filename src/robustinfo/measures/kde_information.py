"""Kernel-density bounds on I(T;X), and estimates of I(T;Y) with the same kernels.

Kolchinsky and Tracey (2017), arXiv 1706.02419; formulas in ``maths/kde.py``. The two values of
I(T;X) are an upper and a lower bound for a representation with noise of the given variance;
a difference of bounds is no bound, so both values of I(T;Y) are estimates. Wide layers
saturate at log2 n under a fixed noise: the flag says so.

``relative_noise_variance`` r lets the noise grow with the layer: s^2 = r V for every neuron, V the
sum of the neurons' variances over the samples. V and not their mean: V is half the mean squared
distance of two samples, which grows with the width, so noise that is scaled neuron by neuron (as by
the largest activation in arXiv 1902.09037) saturates as a fixed one does. With s^2 = r V, by
Jensen's inequality, the upper bound is at most 1 / r and the lower one at most 1 / (4 r) nats at
any width: neither can saturate above r = 1 / ln n, 0.12 for 5,000 samples. T and a T + b have the
same value. But every layer and epoch gets a channel of its own: the values of two layers are no
bounds for one channel, and need not fall from a layer to the next.

A layer that holds a value that is not finite has the value nan.
"""

from typing import Self

from pydantic import model_validator
from torch import Tensor

from robustinfo.core.measurement import Measurement
from robustinfo.core.settings import Outline, PositiveNumber, Settings
from robustinfo.maths.kde import kernel_entropies_bits, total_variance
from robustinfo.measures._shared import INFORMATION, UNKNOWN, finite, information_bits

POINTS = "probes"


class Config(Settings):
    noise_variance: PositiveNumber = 0.1  # s^2, as arXiv 1706.00476 and its successors
    relative_noise_variance: PositiveNumber | None = None  # s^2 over the sum of the variances

    @model_validator(mode="after")
    def one_of_both(self) -> Self:
        """The two exclude each other."""
        if {"noise_variance", "relative_noise_variance"} <= self.model_fields_set:
            raise ValueError("give either `noise_variance` or `relative_noise_variance`, not both")
        return self


def outline(config: Config) -> Outline:
    """The names of its rows.

    information_input_bits_upper, information_input_bits_lower  I(T;X), of the layer and the
        input, in bits
    information_label_bits_upper, information_label_bits_lower  I(T;Y), of the layer and the
        label, in bits
    redundancy_bits_upper, redundancy_bits_lower  R(T;Y) = I(T;X) - I(T;Y): what the layer holds
        beside the label, in bits; by either kernel
    """
    bounds = ("upper", "lower")
    return [{"quantity": tuple(f"{name}_{bound}" for name in INFORMATION for bound in bounds)}]


def estimate(t: Tensor, y: Tensor, *, config: Config) -> list[Measurement]:
    """Both bounds in bits, ``_upper`` and ``_lower``.  t: (n, d) activations.  y: (n,) labels."""
    entropies = dict.fromkeys(("upper", "lower"), UNKNOWN)
    if finite(t):
        s2, r = config.noise_variance, config.relative_noise_variance
        entropies |= kernel_entropies_bits(t, y, s2 if r is None else r * total_variance(t))
    return [
        one._replace(quantity=f"{one.quantity}_{bound}")
        for bound, (entropy, conditional) in entropies.items()
        for one in information_bits(entropy, conditional, y.tolist())
    ]
