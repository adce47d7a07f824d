"""Convergence check: PGD again with twice the steps, and with as many new starts.

Carlini et al. (2019), arXiv 1902.06705, section 5. An attack has converged where more steps break
no more. So, on the images that are still robust, PGD of the evaluation runs twice with the same new
starts: with its own steps, and with twice as many. Images that only the longer run breaks are the
gain of steps; those that the first breaks, the gain of restarts. No image of either is robust.
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from robustinfo.attacks import pgd
from robustinfo.core import registry
from robustinfo.core.batches import memory_batches
from robustinfo.core.settings import Entry


class Gains(NamedTuple):
    """Robust images that are broken after all, (n,) bool each."""

    steps: Tensor  # by twice the steps, and not by new starts alone
    restarts: Tensor  # by new starts


def convergence_check(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    robust: Tensor,
    entries: Iterable[Entry],
    *,
    generator: Generator,
) -> Gains:
    """Attack the robust images again.  x: (n, c, h, w) in [0, 1].  y: (n,) labels.

    robust: (n,) bool, the images that no attack has broken.  entries: those of pgd.
    """
    gains = Gains(torch.zeros_like(robust), torch.zeros_like(robust))
    for entry in entries:
        once = registry.config("attacks", entry).model_copy(update={"until": "fooled"})
        longer = once.model_copy(update={"steps": 2 * once.steps})
        seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
        remaining = robust & ~gains.steps & ~gains.restarts
        for number, part in enumerate(batches_in_mask(remaining, x)):
            by_restarts, by_longer_run = (
                pgd.perturb(
                    model, x[part], y[part], config=config,
                    generator=Generator(x.device).manual_seed(seed + number),
                )[1]
                for config in (once, longer)
            )  # fmt: skip
            gains.restarts[part] = by_restarts
            gains.steps[part] = by_longer_run & ~by_restarts
    return gains


def batches_in_mask(mask: Tensor, x: Tensor) -> list[Tensor]:
    """The indices of the images x in a mask (n,) bool, in batches; [] for an empty mask."""
    rows = mask.nonzero().squeeze(1)
    return [part for _, part in memory_batches(x[rows], rows)] if len(rows) else []
