"""Entropy maximisation (EntM): the cross-entropy less the weighted entropy of the prediction.

Pereyra et al. (2017), arXiv 1701.06548; here as in "Rethinking uncertainty in deep learning:
whether and how it improves robustness", eq. 4, with its weight lambda = 2:
    L = CE(p, y) - lambda H(p),   p = softmax(f(x)),   H(p) = -sum_k p_k log p_k.
With u uniform over the K classes it is CE + lambda KL(p || u) - lambda log K, and so below 0 where
the reward is the larger part.

L is convex in p and least where log(p_y / p_k) = 1 / (lambda p_y) for each other class k: there
    p_y = 1 / (1 + lambda W((K - 1) exp(-1 / lambda) / lambda)),   p_k = (1 - p_y) / (K - 1),
W being Lambert's function. For lambda = 2 that is 0.333 of ten classes and 0.167 of a hundred.

Known bias: a network with nearly uniform predictions has small gradients. Without
adversarial training the authors find less robustness than weak attacks show (appendix C).
"""

from torch import Tensor
from torch.nn import functional as F

from robustinfo.core.settings import Number, Settings


class Config(Settings):
    weight: Number = 2.0  # of the entropy: lambda


def loss(logits: Tensor, y: Tensor, *, config: Config) -> Tensor:
    """The mean loss of the batch, a scalar in nats.  logits: (n, K).  y: (n,) labels."""
    log_p = F.log_softmax(logits.float(), dim=1)
    entropy = -(log_p.exp() * log_p).sum(1)  # of logarithms: 0 log 0 is 0, slope and all
    return F.nll_loss(log_p, y) - config.weight * entropy.mean()
