"""The channel mask of a network's last feature maps: all ones, until a defence cuts channels."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

MASK = "mask"  # the layer's name in every network that has one


class ChannelMask(nn.Module):
    """Feature maps (n, C, h, w) -> the same, 0 in cut channels. Stored with the weights."""

    passes: Tensor  # (C,)

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("passes", torch.ones(channels))

    def forward(self, t: Tensor) -> Tensor:
        return t * self.passes[:, None, None]


def has_mask(network: nn.Module) -> bool:
    """Whether the network has a channel mask."""
    return MASK in dict(network.named_children())


def masked_points(network: nn.Module, points: Iterable[str]) -> tuple[str, ...]:
    """The points, with the mask in place of the layer whose output it masks."""
    names = [name for name, _ in network.named_children()]
    before = names[names.index(MASK) - 1] if MASK in names else None
    read = set()
    while before is not None:
        read.add(before)
        layer = network.get_submodule(before)
        last = [*layer._modules][-1:] if type(layer) is nn.Sequential else []
        before = f"{before}.{last[0]}" if last else None
    return tuple(MASK if point in read else point for point in points)


@contextmanager
def cut_in_training(network: nn.Module, keep: Callable[[Tensor, Tensor], Tensor]) -> Iterator[None]:
    """A context in which each pass in training mode masks the channels that ``keep`` rejects.

    keep: (images of the pass, maps (n, C, h, w) that the mask reads) -> (C,) bool. Passes in eval
    mode, in which adversaries are made, and what is stored are left as they are.
    """
    images: list[Tensor] = []

    def enter(_layer: nn.Module, inputs: tuple[Tensor]) -> None:
        images[:] = inputs

    def cut(layer: nn.Module, inputs: tuple[Tensor], t: Tensor) -> Tensor:
        return t * keep(images[0], inputs[0])[:, None, None] if layer.training else t

    first = next(network.children()).register_forward_pre_hook(enter)
    mask = network.get_submodule(MASK).register_forward_hook(cut)
    try:
        yield
    finally:
        first.remove()
        mask.remove()
