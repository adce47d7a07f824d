"""The path of PGD, image by image: does the loss rise at all, and was it still rising at the end?

Carlini et al. (2019), arXiv 1902.06705, section 5, and Tramer et al. (2020), arXiv 2002.08347: an
attack whose loss stays where it was has not been tried, whatever then stands; one whose loss still
rises has been stopped too early. PGD on the cross-entropy, in float32, takes all its steps with all
images that are correct when clean; the loss is looked at before every step and after the last.
never_rises_share   of these, those whose loss never exceeds that of x by more than rounding.
still_rising_share  of these, those that no step fools and of whose whole rise, from the loss of x
                    to the best of all steps, more than 5 % came in the last 10 steps:
                    best - best of the first steps - 10 > 0.05 (best - loss of x).

The loss is computed in double precision from the logits, so that it is not 0 where the network is
sure. By default the path starts at x: from a random start, chance is half of the time a rise.
Known bias: a rise is not progress towards an error, and a network that answers at random has one.
"""

from typing import Annotated

import torch
from pydantic import Field
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from robustinfo.attacks import _foolbox, pgd
from robustinfo.attacks._climbable import Climbable
from robustinfo.attacks._folded import folded
from robustinfo.attacks._foolbox import frozen
from robustinfo.batches import together
from robustinfo.diagnostics._finding import Finding
from robustinfo.diagnostics._kept import kept
from robustinfo.settings import Norm, Outline, Pixels, Settings

LAST = 10  # steps
NOTABLE = 0.05  # of the whole rise
ROUNDING = 1e-6  # of a logit, as a part of the largest


class Config(Settings):
    norm: Norm = "linf"
    epsilon: Pixels
    step_size: Pixels
    steps: Annotated[int, Field(gt=LAST)]
    random_start: bool = False  # uniform in the ball; False: from x


def outline(config: Config) -> Outline:
    """What its rows are called."""
    return [
        {
            "quantity": (
                "never_rises_share",
                "still_rising_share",
            )
        }
    ]


def diagnose(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> list[Finding]:
    """x: (n, c, h, w) in [0, 1].  y: (n,) labels.  Fractions of the images named above."""
    parts = together(x, y)
    with kept(model), frozen(model):
        network = Climbable(model).eval()
        found = [_climbed(network, a, b, config=config, generator=generator) for a, b in parts]
    rises, late, stands = (torch.cat(masks) for masks in zip(*found, strict=True))
    return [
        Finding("never_rises_share", _share(~rises), n=len(rises)),
        Finding("still_rising_share", _share(late & stands), n=len(rises)),
    ]


def _share(mask: Tensor) -> float:
    return mask.sum().item() / max(1, len(mask))


def _climbed(
    network: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Whether the loss rises, whether it does so late, and whether no step fools.

    Each (m,) bool, of the m images that are correct when clean.
    """
    clean = network(x)
    right = clean.argmax(1) == y
    x, y, clean = x[right], y[right], clean[right]
    if not len(y):
        return right[right], right[right], right[right]
    shown = _shown(network, x, y, config=config, generator=generator)  # (steps + 1, m, K)
    losses = torch.stack([_loss(logits, y) for logits in shown])
    losses = losses.nan_to_num(nan=-torch.inf, posinf=torch.inf)  # a NaN is no rise
    at_x, best, early = _loss(clean, y), losses.amax(0), losses[:-LAST].amax(0)
    # Logits within r of the true ones: a loss within 2 r, and within 2 r of itself where it is < 1.
    rounding = 2 * ROUNDING * clean.abs().amax(1).double() * at_x.clamp(max=1)
    rises = best > at_x + rounding
    stands = (shown.argmax(2) == y).all(0)
    return rises, rises & (best - early > NOTABLE * (best - at_x)), stands


def _shown(
    network: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> Tensor:
    """The logits before every step and after the last, (steps + 1, m, K)."""
    attack, shown, network = pgd.method(pgd.Ascent(**dict(config))), [], folded(network, x)

    def objective(x: Tensor, y: Tensor) -> Tensor:
        logits = network(x)
        shown.append(logits.detach())
        return F.cross_entropy(logits, y, reduction="sum")

    _foolbox.climb(attack, objective)
    _, end = _foolbox.run(attack, network, x, y, epsilon=config.epsilon, generator=generator)
    return torch.stack([*shown, network(end).detach()])


def _loss(logits: Tensor, y: Tensor) -> Tensor:
    return F.cross_entropy(logits.double(), y, reduction="none")
