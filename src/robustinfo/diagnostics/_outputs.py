"""The outputs of a network on all images, and what kind they are."""

import torch
from torch import Tensor, nn

from robustinfo.core.batches import memory_batches

SUM_TOLERANCE = 1e-4  # of the sum of probabilities to 1, or of its logarithm to 0


@torch.no_grad()
def outputs(model: nn.Module, x: Tensor) -> Tensor:
    """Outputs (n, K), float64, in the same batches as in other diagnostics."""
    return torch.cat([model(part.clone()) for (part,) in memory_batches(x)]).double()


def probabilities(found: Tensor) -> Tensor:
    """Whether each image's outputs are at least 0 and sum to 1, (n,) bool."""
    return (found >= 0).all(1) & ((found.sum(1) - 1).abs() <= SUM_TOLERANCE)


def log_probabilities(found: Tensor) -> Tensor:
    """Whether each image's outputs are at most 0, and their exponentials sum to 1, (n,) bool."""
    return (found <= 0).all(1) & (found.logsumexp(1).abs() <= SUM_TOLERANCE)


def labels_alone(found: Tensor) -> bool:
    """Whether outputs (n, K) name a class and nothing else: one is high, all others alike low.

    Two images or more, as any two logits of one image are such.
    """
    high, low = found.amax(1, keepdim=True), found.amin(1, keepdim=True)
    one_high = ((found == high).sum(1) == 1) & ((found == high) | (found == low)).all(1)
    alike = (high == high[:1]).all() and (low == low[:1]).all()
    return len(found) > 1 and bool(one_high.all() and alike)
