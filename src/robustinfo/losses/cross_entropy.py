"""Plain cross-entropy, -log p(y | x), averaged over the batch. In nats."""

from torch import Tensor
from torch.nn import functional as F

from robustinfo.core.settings import Settings


class Config(Settings):
    pass


def loss(logits: Tensor, y: Tensor, *, config: Config) -> Tensor:
    """The loss, a scalar in nats.  logits: (n, K).  y: (n,) labels."""
    return F.cross_entropy(logits, y)
