"""TEMPLATE: cross-entropy and the size of the logits.

Write here what yours minimises, who published it, where (arXiv id, equation), and its known bias:
    minimise  CE(f(x), y) + weight |f(x)|^2 / K.
"""

from torch import Generator, Tensor, nn
from torch.nn import functional as F

from robustinfo.core.settings import Number, Outline, Settings


class Config(Settings):
    weight: Number = 0.01  # of the size of the logits


def outline(config: Config) -> Outline:
    """The names of its rows.

    clean  the cross-entropy on the clean images
    size  the mean square of the logits, by its weight
    """
    return [{"quantity": ("clean", "size")}]


def loss_terms(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> dict[str, Tensor]:
    """x: (n, c, h, w) in [0, 1].  y: (n,) labels.  Scalars: nats, and squared logits."""
    logits = model(x)
    return {
        "clean": F.cross_entropy(logits, y),
        "size": config.weight * logits.square().mean(),
    }
