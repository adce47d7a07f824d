"""A wrapper that gives any network a finite gradient, as gradient attacks need it at every step.

Some networks have none: their outputs are detached, or they call numpy, which refuses a tensor that
requires a gradient. There the gradient is 0, as it is where it would be NaN, and an attack stays at
its start. That says nothing about robustness: diagnostics/output_checks.py counts these images.
"""

import torch
from torch import Tensor, nn


class GradientSafe(nn.Module):
    """The network's logits, in float32 at least; it gets copies, which it may overwrite."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """x: (n, c, h, w) in [0, 1] -> (n, K)."""
        if not (torch.is_grad_enabled() and x.requires_grad):
            return _at_least_float32(self.network(x.clone()))
        inner = x.clone()
        inner.register_hook(_without_nan)
        return _at_least_float32(logits_or_detached(self.network, inner)) + 0 * x.flatten(1).sum(
            1, keepdim=True
        )


def logits_or_detached(network: nn.Module, x: Tensor) -> Tensor:
    """Logits (n, K) of x, which requires a gradient; detached where the network refuses one."""
    values = x.detach().clone()
    try:
        return network(x)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError:  # a mistake that has nothing to do with the gradient comes again
        return network(values)


def _at_least_float32(logits: Tensor) -> Tensor:
    """The logits; half precision becomes float32."""
    return logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits


def _without_nan(gradient: Tensor) -> Tensor:
    return gradient.nan_to_num(nan=0.0)
