"""The number of classes of a network that the caller has, where nobody says it."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from robustinfo.evaluation.sources._guarded import Guarded
from robustinfo.evaluation.sources._memory import network_in_memory
from robustinfo.evaluation.sources._outputs import logits_shapes

IMAGES = 3  # of the batch that is tried


@torch.no_grad()
def output_classes(
    network: nn.Module | Callable[..., Any], shape: tuple[int, ...], least: int
) -> int:
    """K of a network's logits (n, K); 2 of one logit; ``least`` where it cannot be seen.

    A copy is tried, on random images of the shape (c, h, w); that it fails is said elsewhere.
    """
    x = torch.rand(IMAGES, *shape, generator=torch.Generator().manual_seed(0))
    try:
        guard = Guarded(network_in_memory(network, "network", least)).eval()
        guard.to_float32()
        parameter = next(guard.parameters(), None)
        output = guard.raw_outputs(x if parameter is None else x.to(parameter.device))
    except Exception:  # the user's network may raise anything
        return least
    return max((max(columns, 2) for columns in logits_shapes(output, IMAGES)), default=least)
