"""Label smoothing (LS): the cross-entropy with labels mixed with the uniform distribution.

Szegedy et al. (2016), arXiv 1512.00567, section 7; here as in "Rethinking uncertainty in deep
learning: whether and how it improves robustness", eq. 6, with its gamma:
    L = -sum_k t_k log p_k,   t = y - gamma (y - u),   p = softmax(f(x)),
u being uniform over the K classes. That is torch's ``label_smoothing`` = gamma, t = (1 - gamma) y +
gamma u: the true class has its gamma / K, too. (What is shared among the other classes alone, as
some count it, is gamma (K - 1) / K.)
It equals (1 - gamma) CE + gamma KL(u || p) + gamma log K; entropy_maximised.py has KL(p || u).

L is least where p = t. The paper takes the gamma with which the other classes then have what EntM
leaves them. With EntM's p_y, as its file gives it for a weight lambda, gamma / K is the
(1 - p_y) / (K - 1) of each of them, and so
    gamma = K / (K - 1) (1 - p_y):   0.741 for K = 10, 0.841 for K = 100, with lambda = 2,
the paper's 0.74 and 0.84. Both losses then have the same optimum, p_y included.

Known bias: as that of EntM.
"""

from torch import Tensor
from torch.nn import functional as F

from robustinfo.core.settings import Fraction01, Settings


class Config(Settings):
    smoothing: Fraction01  # share of the label given to all classes alike: gamma


def loss(logits: Tensor, y: Tensor, *, config: Config) -> Tensor:
    """The mean loss of the batch, a scalar in nats.  logits: (n, K).  y: (n,) labels."""
    return F.cross_entropy(logits, y, label_smoothing=config.smoothing)
