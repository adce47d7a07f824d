"""The logits of a network as gradients need them: in float64, before a softmax, and of one size.

The cross-entropy of a network that is very sure has a gradient that vanishes in float32, and a
softmax at the network's end takes the gradient of every other loss along (Carlini and Wagner 2017,
arXiv 1608.04644, section IV; Carlini et al. 2019, arXiv 1902.06705). Neither changes which class is
the largest.
"""

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

SOFTMAX = {torch.softmax, Tensor.softmax, nn.functional.softmax}
SUM_TOLERANCE = 1e-4  # of the sum of probabilities to 1


class Logits(nn.Module):
    """Logits (n, K) over their largest difference; in float64, or in float32 where that fails."""

    def __init__(self, network: nn.Module, x: Tensor) -> None:
        """x: (n, c, h, w), a few images, on which a copy in float64 is tried."""
        super().__init__()
        self.network, self.dtype = network, x.dtype
        try:
            copy = deepcopy(network).double()
            if copy(x.double()).dtype == torch.double:
                self.network, self.dtype = copy, torch.double
        except Exception:  # the user's network may fail in any way
            return

    def forward(self, x: Tensor) -> Tensor:
        """x: (n, c, h, w) in [0, 1] -> (n, K)."""
        with _LastSoftmax() as last:
            outputs = self.network(x.to(self.dtype))
        logits = last.logits_of(outputs)
        values = logits.detach()
        size = values.amax(1, keepdim=True) - values.amin(1, keepdim=True)
        return logits / size.clamp(min=torch.finfo(logits.dtype).tiny)


class _LastSoftmax(TorchFunctionMode):
    """Within it, what the last softmax read and gave is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.read = self.gave = torch.empty(0)

    def __torch_function__(
        self,
        func: Any,  # noqa: ANN401
        types: Any,  # noqa: ANN401
        args: Any = (),  # noqa: ANN401
        kwargs: Any = None,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        out = func(*args, **(kwargs or {}))
        if func in SOFTMAX and args:
            self.read, self.gave = args[0], out
        return out

    def logits_of(self, outputs: Tensor) -> Tensor:
        """Of probabilities (n, K) what the softmax read, or else their logarithms."""
        if torch.equal(self.gave.to(outputs), outputs):
            return self.read
        sums = (outputs.detach().sum(1) - 1).abs()
        if (outputs >= 0).all() and (sums <= SUM_TOLERANCE).all():
            return outputs.clamp(min=torch.finfo(outputs.dtype).tiny).log()
        return outputs
