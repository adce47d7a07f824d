"""Detection of adversarial images by one score: AUC and true positive rate against clean images.

AUC is the probability that an adversarial image measures more than the clean original of another
(ties count half). Its interval is that of DeLong et al. (1988), with both scores of an image taken
as one observation, as Obuchowski (1997) does for clustered data: the two are not independent.
Where all images agree, as at an AUC of 1, that interval has no width. An image's part of the AUC is
a half of a sum in [0, 2] with the mean 2 AUC, whose variance is at most 4 AUC (1 - AUC): as of a
fraction of n / 4 images, whose Wilson interval then stands instead.
"""

import torch
from scipy.special import ndtri
from torch import Tensor

from robustinfo.maths.statistics import LEVEL


def auc(positive: Tensor, negative: Tensor) -> tuple[float, float, float]:
    """(AUC, low, high) with the 95 % interval, cut to [0, 1].

    positive, negative: (n,) scores of the same images, n >= 2, attacked and clean.
    """
    above = _rank(positive, negative)  # per attacked image: the share of clean ones below it
    below = 1 - _rank(negative, positive)  # per clean image: the share of attacked ones above it
    value = above.mean().item()
    error = ((above + below).var(correction=1) / len(positive)).sqrt().item()
    z = float(ndtri((1 + LEVEL) / 2))
    if error == 0:
        return value, *_wilson(value, len(positive) / 4, z)
    return value, max(value - z * error, 0.0), min(value + z * error, 1.0)


def _wilson(share: float, n: float, z: float) -> tuple[float, float]:
    """Wilson's interval of a fraction of n observations; n need not be whole."""
    middle, scale = share + z**2 / (2 * n), 1 + z**2 / n
    half_width = z * (share * (1 - share) / n + (z / (2 * n)) ** 2) ** 0.5
    return max((middle - half_width) / scale, 0.0), min((middle + half_width) / scale, 1.0)


def true_positive_rate(positive: Tensor, negative: Tensor, false_positive_rate: float) -> float:
    """The share of ``positive`` above a threshold that at most that share of ``negative`` exceeds.

    The threshold is a score of ``negative``, the least that keeps the promise.
    """
    allowed = int(false_positive_rate * len(negative) + 1e-9)
    if allowed >= len(negative):
        return 1.0
    threshold = negative.sort(descending=True).values[allowed]
    return (positive > threshold).double().mean().item()


def _rank(scores: Tensor, among: Tensor) -> Tensor:
    """For each score, the share of ``among`` below it, ties counting half."""
    ordered = among.double().sort().values
    scores = scores.double()
    left = torch.searchsorted(ordered, scores)
    right = torch.searchsorted(ordered, scores, right=True)
    return (left + right) / (2 * len(among))
