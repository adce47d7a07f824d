"""``robustinfo.load``: the network of a checkpoint."""

from pathlib import Path

import torch
from torch import nn

from robustinfo.core import checkpoint


def load(file: str | Path, device: str | torch.device = "cpu") -> nn.Module:
    """The network of a checkpoint that the pipeline wrote, in eval mode.

    Images (n, c, h, w) in [0, 1] -> logits (n, K). Its sha256 is checked. Raises UserError.

    >>> import torch, robustinfo
    >>> network = robustinfo.load("studies/published/checkpoint.safetensors")
    >>> network(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    """
    return checkpoint.network(checkpoint.load(Path(file)), device)
