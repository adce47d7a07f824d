"""Which of the last maps a network may read: all, until a defence cuts some."""

import torch
from torch import Tensor, nn

MASK = "mask"  # the layer's name in every network that has one


class ChannelMask(nn.Module):
    """(n, C, h, w) -> the same, 0 in the channels that are cut. It is stored with the weights."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("passes", torch.ones(channels))

    def forward(self, t: Tensor) -> Tensor:
        return t * self.passes[:, None, None]
