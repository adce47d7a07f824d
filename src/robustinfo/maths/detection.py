"""How well one number tells adversarial images from the clean images that they were made from.

AUC is the probability that an adversarial image measures more than the clean original of another
(ties count half). Its interval is that of DeLong et al. (1988), with both scores of an image taken
as one observation, as Obuchowski (1997) does for clustered data: the two are not independent.
"""

import torch
from scipy import stats
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
    reach = stats.norm.ppf((1 + LEVEL) / 2) * error
    return value, max(value - reach, 0.0), min(value + reach, 1.0)


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
