"""The straight-through estimator: one tensor's value, another's gradient.

Bengio et al. (2013), arXiv 1308.3432.
"""

from typing import Any

import torch
from torch import Tensor


class _Pass(torch.autograd.Function):
    """The value of one tensor, and the gradient of another of its shape."""

    @staticmethod
    def forward(ctx: Any, of: Tensor, value: Tensor) -> Tensor:  # noqa: ANN401
        """``value``, as a tensor of its own."""
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        """The gradient belongs to the first."""
        return gradients[0], None


def with_value(of: Tensor, value: Tensor) -> Tensor:
    """The value of ``value``, with the gradient of ``of``, which has its shape."""
    return _Pass.apply(of, value.detach())
