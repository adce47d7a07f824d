"""Gradients of a search in bfloat16; it never decides on a success."""

from collections.abc import Callable

import torch
from torch import Tensor


def bfloat16_logits(network: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> Tensor:
    """Logits (n, K) by autocast, and so their gradients; of misclassified images in full precision.

    x: (n, c, h, w).  y: (n,) labels.
    """
    with torch.autocast(x.device.type, torch.bfloat16):
        logits = network(x)
    logits = logits.to(x.dtype)
    wrong = (logits.argmax(1) != y).nonzero().squeeze(1)
    if not len(wrong):
        return logits
    with torch.no_grad():
        error = network(x[wrong]) - logits[wrong]
    return logits.index_add(0, wrong, error)
