"""Which of the last maps' channels IB-RAR cuts, and when.

Xu, Perin and Picek (2023), arXiv 2302.10896, eq. 3: T_last := T_last * mask, where the mask is 0 at
the channels with the least nHSIC(f_c, Y), 5 % of them. Of when, there are three readings:
    after_training  section II-C: "after training the network", here by held-out training images.
                    For good: the mask is part of the network, at test time, too.
    every_step      algorithm 1: in each step the maps are masked before the terms are computed,
                    here by the values of the step's own batch; then as after_training.
    one_in_ten      the published code: one batch in ten, by its own values, in training only. It
                    also cuts the channels with the greatest nHSIC(f_c, X), X being the images of
                    the pass; of 512 channels ten for each reason.
The code takes batches 10, 20, ... of an epoch. Here each is masked with probability 1/10: batches
are drawn at random, so which of them matters not, and a training that goes on draws the same.
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


def cuts(config: Config) -> bool:
    """Whether any channel is ever cut."""
    return config.masked_share + config.masked_share_by_input > 0


def lasts(config: Config) -> bool:
    """Whether a mask stays when the training is over, for which it takes held-out images."""
    return config.masked_share > 0 and config.mask != "one_in_ten"


def in_step(
    network: Network, y: Tensor, *, config: Config, generator: Generator
) -> AbstractContextManager:
    """Within, what a training step does with the maps of its batch.  y: (n,) labels."""
    if not cuts(config) or config.mask == "after_training":
        return nullcontext()
    if config.mask == "one_in_ten" and torch.rand((), generator=generator, device=y.device) >= 0.1:
        return nullcontext()
    return cut_in_training(network, _keeping(y, config))


@torch.no_grad()
def cut(network: Network, x: Tensor, y: Tensor, *, config: Config) -> None:
    """Cut channels for good, in place.  x: (m, c, h, w), held out.  y: (m,).  In eval mode."""
    found = [network.observe(part, (MASK,)) for part in x.split(EVALUATION_BATCH)]
    mask = network.get_submodule(MASK)
    assert isinstance(mask, ChannelMask)
    channels = len(mask.passes)
    maps = torch.cat([seen[MASK] for _, seen in found]).view(len(x), channels, -1, 1)
    values = channel_mask.relevance(maps, y, classes=found[0][0].shape[1])
    mask.passes.copy_(channel_mask.mask(values, config.masked_share))


def _keeping(y: Tensor, config: Config) -> Callable[[Tensor, Tensor], Tensor]:
    """Which channels of a pass are kept, from its images and maps."""

    def keep(x: Tensor, maps: Tensor) -> Tensor:
        values = channel_mask.batch_relevance(maps, y)
        kept = channel_mask.mask(values, config.masked_share)
        if config.masked_share_by_input:
            known = channel_mask.batch_dependence(maps, x)
            kept &= channel_mask.mask(-known, config.masked_share_by_input)
        return kept

    return keep
