"""Gradients through what has none: BPDA, the backward pass of something that is nearly the same.

Athalye et al. (2018), arXiv 1802.00420, section 4.1: where a part g of the network has no useful
gradient and g(x) is about x, take g forward and the identity backward. Nobody says where that part
is, so there are two networks, whose outputs are those of the network, bit for bit:

StraightThrough  rounding, signs and casts to integers pass the gradient on (Bengio et al. 2013,
                 arXiv 1308.3432), and nothing detaches; of what torch sees of the forward pass
FromInside       the gradient at the last layer that reads a tensor of the image's shape is that of
                 the image: whatever lies before is taken for the identity, in numpy or in torch
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from robustinfo.maths.straight_through import with_value

CUTS = {Tensor.detach, torch.detach, Tensor.data.__get__}  # type: ignore[attr-defined]
ROUNDING = {
    getattr(place, name)
    for place in (torch, Tensor)
    for name in ("round", "floor", "ceil", "trunc", "sign", "fix")
}
CASTS = {Tensor.to, Tensor.int, Tensor.long, Tensor.short, Tensor.byte, Tensor.char, Tensor.type}


class _Passing(TorchFunctionMode):
    """Within it, what would cut the graph passes the gradient on."""

    def __torch_function__(
        self,
        func: Any,  # noqa: ANN401
        types: Any,  # noqa: ANN401
        args: Any = (),  # noqa: ANN401
        kwargs: Any = None,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        if func in CUTS:
            return args[0]
        with torch.enable_grad():
            out = func(*args, **(kwargs or {}))
        if not (args and isinstance(args[0], Tensor) and args[0].requires_grad):
            return out
        whole = func in CASTS and isinstance(out, Tensor) and not out.is_floating_point()
        return with_value(args[0], out.to(args[0].dtype)) if func in ROUNDING or whole else out


class StraightThrough(nn.Module):
    """The network, with a gradient through rounding, signs, casts and what is detached."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """x: (n, c, h, w) in [0, 1] -> (n, K)."""
        if not (torch.is_grad_enabled() and x.requires_grad):
            return self.network(x)
        with _Passing():
            return self.network(x)


class FromInside(nn.Module):
    """The network, with the gradient that its last layer on a tensor like x has there."""

    def __init__(self, network: nn.Module, x: Tensor) -> None:
        """x: (n, c, h, w), a few images. Raises LookupError where there is no such layer."""
        super().__init__()
        self.network = network
        self.inside = _last_reader(network, x)

    def forward(self, x: Tensor) -> Tensor:
        """x: (n, c, h, w) in [0, 1] -> (n, K)."""
        if not (torch.is_grad_enabled() and x.requires_grad):
            return self.network(x)

        def join(layer: nn.Module, inputs: tuple) -> tuple:
            if not _is_like(inputs, x):
                return inputs
            return with_value(x, inputs[0]), *inputs[1:]

        values = x.detach()  # outside of _Passing, which would not detach them
        with _hooked([self.inside], join), _Passing():
            return self.network(values)


@torch.no_grad()
def _last_reader(network: nn.Module, x: Tensor) -> nn.Module:
    """The layer that is the last to read a tensor of the shape of x, but not the network's own."""
    readers, images = list[nn.Module](), x.clone()

    def record(layer: nn.Module, inputs: tuple) -> None:
        if _is_like(inputs, images) and not any(layer.children()):
            readers.append(layer)

    with _hooked(network.modules(), record):
        network(images)
    if not readers:
        raise LookupError("no layer of the network reads a tensor of the image's shape")
    return readers[-1]


def _is_like(inputs: tuple, x: Tensor) -> bool:
    first = inputs[0] if inputs else None
    return isinstance(first, Tensor) and first.shape == x.shape and first.is_floating_point()


@contextmanager
def _hooked(layers: Any, hook: Any) -> Iterator[None]:  # noqa: ANN401
    """A forward pre-hook on the layers, removed afterwards."""
    handles = [layer.register_forward_pre_hook(hook) for layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def differentiable(network: nn.Module, x: Tensor) -> list[nn.Module]:
    """Those of StraightThrough and FromInside that have a gradient.  x: (n, c, h, w), a few."""
    found = list[nn.Module]()
    for kind in (StraightThrough, lambda one: FromInside(one, x)):
        try:
            one, at = kind(network), x.clone().requires_grad_()
            with torch.enable_grad():
                (slope,) = torch.autograd.grad(one(at).amax(1).sum(), at)
        except Exception:  # the user's network may fail in any way
            continue
        if slope.isfinite().all() and slope.any():
            found.append(one)
    return found
