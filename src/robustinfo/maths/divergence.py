"""The Kullback-Leibler divergence of two predictions, and of a Gaussian from the standard one.

KL(p || q) = sum_k p_k log(p_k / q_k), in nats: how much worse q is than p where p is the truth. It
is not symmetric; torch's own takes q first.
"""

from torch import Tensor
from torch.nn import functional as F


def kl_of_softmax(logits: Tensor, other: Tensor) -> Tensor:
    """KL(softmax(logits) || softmax(other)) of each row: (n, K) and (n, K) -> (n,), in nats."""
    log_p, log_q = (F.log_softmax(t.float(), dim=1) for t in (logits, other))
    return F.kl_div(log_q, log_p, reduction="none", log_target=True).sum(1)


def kl_from_standard_normal(mean: Tensor, deviation: Tensor) -> Tensor:
    """KL(N(mean, deviation^2) || N(0, I)) of each row, independent in d: (n, d) -> (n,), in nats.

    deviation: positive, at least the smallest normal number; its square may vanish.
    """
    return (0.5 * (mean.square() + deviation.square() - 1) - deviation.log()).sum(1)
