"""Force a network to compute in its images' precision: in float16 gradients are rounded to 0.

Weights and buffers are converted. Casts within a forward, by ``x.half()``, a dtype or autocast, are
replaced by the precision of the images, except inside TorchScript.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

LOW = frozenset({torch.float16, torch.bfloat16})
OTHERS = LOW | {torch.float64}
CASTS = {
    Tensor.half: torch.float16,
    Tensor.bfloat16: torch.bfloat16,
    Tensor.double: torch.float64,
}


class ForcePrecision(TorchFunctionMode):
    """A mode in which torch computes in the images' dtype instead of one of ``refused``.

    refused_so_far: the dtypes that were replaced.
    """

    def __init__(self, x: Tensor, refused: Iterable[torch.dtype]) -> None:
        """x: the images, whose dtype and device are used."""
        super().__init__()
        self.dtype, self.device = x.dtype, x.device.type
        self.refused = frozenset(refused) - {x.dtype}
        self.refused_so_far: set[torch.dtype] = set()

    def __torch_function__(
        self,
        func: Callable,
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> object:
        """Make the call with its dtypes replaced, and outside of autocast."""
        args = tuple(self._replaced(one) for one in args)
        kwargs = {name: self._replaced(one) for name, one in (kwargs or {}).items()}
        if func in CASTS and self._replaced(CASTS[func]) != CASTS[func]:
            return args[0].to(self.dtype)
        if not torch.is_autocast_enabled(self.device):
            return func(*args, **kwargs)
        self.refused_so_far.add(torch.get_autocast_dtype(self.device))
        with torch.autocast(self.device, enabled=False):
            return func(*args, **kwargs)

    def _replaced(self, value: object) -> object:
        if isinstance(value, torch.dtype) and value in self.refused:
            self.refused_so_far.add(value)
            return self.dtype
        return value


def convert_to_float32(network: nn.Module) -> list[tuple[Tensor, Tensor]]:
    """Convert weights and buffers of other floats to float32. Returns (tensor, old data) each."""
    state = [*network.parameters(), *network.buffers()]
    original = [(one, one.data) for one in state if one.dtype in OTHERS]
    for one, data in original:
        one.data = data.float()
    return original
