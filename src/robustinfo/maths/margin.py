"""The margin of a prediction: the true logit minus the best other. Negative: misclassified."""

import torch
from torch import Tensor


def margin(logits: Tensor, y: Tensor) -> Tensor:
    """The margin, (n,).  logits: (n, K), K > 1, or log-probabilities.  y: (n,) labels."""
    index = y[:, None]
    best_other = logits.scatter(1, index, -torch.inf).amax(1)
    return logits.gather(1, index).squeeze(1) - best_other


def wrong_classes(logits: Tensor, y: Tensor) -> Tensor:
    """All classes but the label, the likeliest first: (n, K - 1).  logits: (n, K).  y: (n,)."""
    ranked = logits.argsort(1, descending=True)
    return ranked[ranked != y[:, None]].view(len(y), logits.shape[1] - 1)
