"""Twice the steps from the same starts, and as many starts again: do they find more?

Carlini et al. (2019), arXiv 1902.06705, section 5. An attack has converged where more steps find no
more. So, on the images that nothing has broken, PGD of the evaluation runs twice with the same
starts: as it was, and with twice the steps. What only the longer run finds is the gain of steps;
what the first one finds, the luck of other starts. Both are adversarial examples, and no image that
has one is robust.
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
    """(n,) bool each, which of the images that were robust fall to whom."""

    steps: Tensor  # to twice the steps, and not to other starts alone
    restarts: Tensor  # to other starts


def convergence_check(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    robust: Tensor,
    entries: Iterable[Entry],
    *,
    generator: Generator,
) -> Gains:
    """x: (n, c, h, w) in [0, 1].  y: (n,) labels.  robust: (n,) bool.  entries: of pgd."""
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
    """The places of the images x in a mask (n,) bool, in batches; none of no image."""
    rows = mask.nonzero().squeeze(1)
    return [part for _, part in memory_batches(x[rows], rows)] if len(rows) else []
