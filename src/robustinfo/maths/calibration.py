"""Whether confidence is accuracy: the expected calibration error (ECE), and what chance gives it.

Guo, Pleiss, Sun and Weinberger (2017), arXiv 1706.04599, equation 3: with M bins of equal width,
bin m the images whose confidence lies in ((m - 1) / M, m / M],
    ECE = sum over m of |B_m| / n  |acc(B_m) - conf(B_m)|.
Known bias: it is never below 0, so few images show an error where there is none; how much, a
network that is calibrated shows with the same confidences (``by_chance``).
"""

import torch
from torch import Generator, Tensor

BINS = 15  # of Guo et al.
DRAWS = 1000  # resamples
AT_ONCE = 2**20  # numbers


def calibration_error(confidence: Tensor, correct: Tensor, bins: int = BINS) -> Tensor:
    """The ECE of each row.  confidence: (n,) in [0, 1].  correct: (..., n), 0 or 1.  -> (...,)"""
    return _error(correct.double() - confidence.double(), _members(confidence, bins))


def by_chance(
    confidence: Tensor, generator: Generator, bins: int = BINS, draws: int = DRAWS
) -> Tensor:
    """The ECE of a calibrated network with this confidence (n,), in so many draws: (draws,)."""
    members, parts = _members(confidence, bins), list[Tensor]()
    for rows in _chunks(draws, len(confidence)):
        drawn = _uniform((rows, len(confidence)), generator).to(confidence.device)
        parts.append(_error((drawn < confidence).double() - confidence.double(), members))
    return torch.cat(parts)


def interval(
    confidence: Tensor, correct: Tensor, generator: Generator, chance: Tensor, bins: int = BINS
) -> tuple[float, float]:
    """A 95 % interval of the ECE of all images, by the basic bootstrap over these n.

    The bootstrap adds the bias once more, so its quantiles are mirrored at the value. The lower end
    is 0 where a calibrated network, ``chance`` (draws,), shows as much in one case of forty.
    """
    members, gap = _members(confidence, bins), correct.double() - confidence.double()
    value, n, parts = _error(gap, members), len(gap), list[Tensor]()
    for rows in _chunks(len(chance), n):
        chosen = torch.randint(n, (rows, n), generator=generator, device=generator.device)
        parts.append(_error(gap[chosen.to(gap.device)], members[chosen.to(gap.device)]))
    ends = torch.tensor([0.025, 0.975], dtype=torch.float64, device=gap.device)
    below, above = torch.cat(parts).quantile(ends)
    low = 0.0 if value <= chance.quantile(0.975) else max(0.0, (2 * value - above).item())
    return min(low, value.item()), min(1.0, max(value, 2 * value - below).item())


def _members(confidence: Tensor, bins: int) -> Tensor:
    """The bin of each image, (n,): the upper end of a bin belongs to it."""
    edges = torch.arange(1, bins, dtype=torch.float64, device=confidence.device) / bins
    return torch.bucketize(confidence.double(), edges)


def _error(gap: Tensor, members: Tensor) -> Tensor:
    """The ECE of gaps (..., n) between correct and confidence, in bins (n,) or (..., n)."""
    sums = gap.new_zeros(*gap.shape[:-1], int(members.max()) + 1)
    return sums.scatter_add_(-1, members.expand_as(gap), gap).abs().sum(-1) / gap.shape[-1]


def _uniform(shape: tuple[int, int], generator: Generator) -> Tensor:
    return torch.rand(shape, generator=generator, device=generator.device, dtype=torch.float64)


def _chunks(draws: int, n: int) -> list[int]:
    """How many draws of n numbers are made at once."""
    rows = max(1, AT_ONCE // n)
    return [min(rows, draws - start) for start in range(0, draws, rows)]
