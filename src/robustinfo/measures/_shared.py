"""What measures share: batches of one size, and information with the ceilings that n allows."""

import math
from collections.abc import Iterator

from torch import Tensor

from robustinfo.core.errors import UserError
from robustinfo.core.measurement import Measurement

FULL = 0.99  # fraction of its ceiling from which an estimate counts as saturated


# The quantities of ``information_bits``.
INFORMATION = ("information_input_bits", "information_label_bits", "redundancy_bits")
UNKNOWN = (math.nan, math.nan)  # the entropies of a layer that holds a value that is not finite


def finite(t: Tensor) -> bool:
    """Whether every value is finite, in one pass and without a copy."""
    return all(math.isfinite(end.item()) for end in t.aminmax())


def equal_batches(size: int, *tensors: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Batches of exactly ``size`` samples, each spread over the whole set, as data may be sorted.

    Up to ``size`` - 1 samples are not used. Raises ValueError if there is no batch.
    """
    n = len(tensors[0])
    if n < size:
        raise UserError(f"{n} samples are less than a batch of {size}: lower `batch_size`")
    count = n // size
    for first in range(count):
        yield tuple(tensor[first : count * size : count] for tensor in tensors)


def information_bits(entropy: float, conditional: float, y: list[int]) -> list[Measurement]:
    """I(T;X), I(T;Y) and R(T;Y) from H(T) and sum_c p_c H(T|c), all in bits; y: the n labels.

    I(T;X) = H(T) has the ceiling log2 n. I(T;Y) = H(T) - H(T|Y) has the ceiling H(Y), and is
    saturated as soon as the classes' own entropies reach the log2 of the class sizes: then it is
    H(Y) whatever the representation does. R(T;Y) = H(T) - I(T;Y), what T carries beyond the label,
    stands in for the redundancy of arXiv 1810.09650 (eq. 1), H(T) less that of a minimal sufficient
    statistic, which is I(T;Y) where the label is a function of the input.
    """
    n = len(y)
    sizes = [y.count(c) for c in set(y)]
    max_entropy = math.log2(n)
    max_conditional = sum(size / n * math.log2(size) for size in sizes)
    conditional_saturated = conditional >= FULL * max_conditional
    values = {
        "information_input_bits": (entropy, max_entropy, entropy >= FULL * max_entropy),
        "information_label_bits": (
            entropy - conditional,
            max_entropy - max_conditional,
            conditional_saturated,
        ),
        "redundancy_bits": (conditional, max_conditional, conditional_saturated),
    }
    return [
        Measurement(name, value, n=n, ceiling=ceiling, saturated=bool(saturated))
        for name, (value, ceiling, saturated) in values.items()
    ]
