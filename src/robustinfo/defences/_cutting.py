"""The channel mask of IB-RAR: which channels of the last feature maps it cuts, and when.

Xu, Perin and Picek (2023), arXiv 2302.10896, eq. 3: T_last := T_last * mask, where the mask is 0 at
the channels with the least nHSIC(f_c, Y), 5 % of them. When, has three readings:
    after_training  section II-C: "after training the network", here by held-out training images.
                    For good: the mask is part of the network, at test time, too.
    every_step      algorithm 1: in each step the maps are masked before the terms are computed,
                    here by the values of the step's own batch; then as after_training.
    one_in_ten      the published code: one batch in ten, by its own values, in training only. It
                    also cuts the channels with the greatest nHSIC(f_c, X), X being the images of
                    the pass; of 512 channels ten for each reason.
The code takes batches 10, 20, ... of an epoch. Here each is masked with probability 1/10: batches
are random anyway, and a resumed training draws the same.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Literal, Self

import torch
from pydantic import model_validator
from torch import Generator, Tensor

from robustinfo.core.batches import EVALUATION_BATCH
from robustinfo.core.settings import Fraction01, Settings
from robustinfo.maths import channel_mask
from robustinfo.models._mask import MASK, ChannelMask, cut_in_training
from robustinfo.models._network import Network


class Config(Settings):
    # when channels are masked; one_in_ten: as the published code does
    mask: Literal["after_training", "every_step", "one_in_ten"] = "after_training"
    masked_share: Fraction01 = 0.05  # of the channels, that tell least of the label; 0: no mask
    masked_share_by_input: Fraction01 = 0.0  # that know most of the input, of one_in_ten

    @model_validator(mode="after")
    def the_input_decides_in_the_code_only(self) -> Self:
        """Eq. 3 knows the labels alone."""
        if self.masked_share_by_input and self.mask != "one_in_ten":
            raise ValueError("`masked_share_by_input` goes with `mask: one_in_ten`")
        return self


def is_active(config: Config) -> bool:
    """Whether any channel is cut at any time."""
    return config.masked_share + config.masked_share_by_input > 0


def is_permanent(config: Config) -> bool:
    """Whether the mask remains after training; it is then computed from held-out images."""
    return config.masked_share > 0 and config.mask != "one_in_ten"


def masked_step(
    network: Network, y: Tensor, *, config: Config, generator: Generator
) -> AbstractContextManager:
    """A context in which a training step masks the maps of its batch.  y: (n,) labels."""
    if not is_active(config) or config.mask == "after_training":
        return nullcontext()
    if config.mask == "one_in_ten" and torch.rand((), generator=generator, device=y.device) >= 0.1:
        return nullcontext()
    return cut_in_training(network, _kept_channels(y, config))


@torch.no_grad()
def cut(network: Network, x: Tensor, y: Tensor, *, config: Config) -> None:
    """Set the network's mask, in place.  x: (m, c, h, w), held out.  y: (m,).  In eval mode."""
    observed = [network.observe(part, (MASK,)) for part in x.split(EVALUATION_BATCH)]
    mask = network.get_submodule(MASK)
    assert isinstance(mask, ChannelMask)
    channels = len(mask.passes)
    maps = torch.cat([outputs[MASK] for _, outputs in observed]).view(len(x), channels, -1, 1)
    values = channel_mask.relevance(maps, y, classes=observed[0][0].shape[1])
    mask.passes.copy_(channel_mask.mask(values, config.masked_share))


def _kept_channels(y: Tensor, config: Config) -> Callable[[Tensor, Tensor], Tensor]:
    """The function (images, maps) -> (C,) bool, the channels of a pass that are kept."""

    def keep(x: Tensor, maps: Tensor) -> Tensor:
        values = channel_mask.batch_relevance(maps, y)
        kept = channel_mask.mask(values, config.masked_share)
        if config.masked_share_by_input:
            dependence = channel_mask.batch_dependence(maps, x)
            kept &= channel_mask.mask(-dependence, config.masked_share_by_input)
        return kept

    return keep
