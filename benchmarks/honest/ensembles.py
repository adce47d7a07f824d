"""Several networks as one: the mean of their logits, or the logarithm of their mean probabilities.

The second is the deep ensemble of Lakshminarayanan et al. (2017), arXiv 1612.01474.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

MEMBERS = 3


class Ensemble(nn.Module):
    """(n, c, h, w) -> (n, K): logits, or log-probabilities if ``of_probabilities``."""

    def __init__(self, build: Callable[[], nn.Module], of_probabilities: bool = False) -> None:
        super().__init__()
        self.members = nn.ModuleList(build() for _ in range(MEMBERS))
        self.of_probabilities = of_probabilities

    def forward(self, x: Tensor) -> Tensor:
        logits = torch.stack([member(x) for member in self.members])
        if self.of_probabilities:
            return logits.log_softmax(-1).logsumexp(0) - math.log(MEMBERS)
        return logits.mean(0)
