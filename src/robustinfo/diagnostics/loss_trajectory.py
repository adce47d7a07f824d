"""The path of PGD, image by image: does the loss rise at all, and is the best of it stationary?

Carlini et al. (2019), arXiv 1902.06705, section 5, and Tramer et al. (2020), arXiv 2002.08347: an
attack whose loss stays where it was has not been tried, whatever then stands; one that ends before
it has climbed has been stopped too early. PGD climbs the log-odds of an error,
s = log((1 - p_y) / p_y), and takes all its steps with all images that are correct when clean; s is
looked at before every step and after the last. b is the point of the path with the largest s.
What it says are fractions of all n images (``outline``).

s is the cross-entropy L = log(1 + e^s) as it is before it flattens: the gradients of both have one
direction, so that PGD takes the same path, but that of L is 0 in float32 where the network is sure,
which is no fault of a network that was trained to the end. What attacks on L miss there, and others
find, the judge counts as hidden. s is computed in double precision from the logits.

c is the first-order stationarity of Wang et al. (2019), arXiv 2112.08304 (maths/stationarity.py).
Both are stationary at the same points, c_L = c_s / (1 + e^-s). On a linear network c / gain of s is
(1 - w) / w after a part w of the way, whatever the size of the logits; that of L grows with it,
since e^s does: the threshold that spares networks trained to the end, 11, sees little. The rule
for OPEN is in benchmarks/honest_networks.py.

The path starts at x: from a random start, chance is half of the time a rise.
Known bias: a rise is not progress towards an error, and a network that answers at random has one.
An edge between two ReLUs, where no step climbs any more, is not stationary to first order.
"""

from typing import Any, NamedTuple

import torch
from pydantic import PositiveInt
from torch import Generator, Tensor, nn

from robustinfo.attacks import pgd
from robustinfo.attacks._frozen import frozen
from robustinfo.attacks._fused_batchnorm import folded
from robustinfo.attacks._gradient_safe import GradientSafe
from robustinfo.core.batches import correct, together
from robustinfo.core.measurement import Measurement, fraction
from robustinfo.core.settings import Norm, Outline, Pixels, Settings
from robustinfo.diagnostics._kept import kept
from robustinfo.diagnostics._probes import varies
from robustinfo.maths.stationarity import first_order_gap, log_odds

OF_RESISTING = True  # where an attack on the cross-entropy succeeds, its path was no trouble
OPEN = 0.9  # a linear path that ends before 53 % of its way has more left
ROUNDING = 1e-6  # of a logit, as a part of the largest


class Config(Settings):
    norm: Norm = "linf"
    epsilon: Pixels
    step_size: Pixels
    steps: PositiveInt


def outline(config: Config) -> Outline:
    """What its rows are called.

    never_rises_fraction  s(b) exceeds s(x) by no more than rounding, although the logits vary
        in the ball: there is something to climb, and the gradient does not lead there
    constant_fraction  the same where they do not vary: there is nothing to find
    unconverged_fraction  no step fools, s rises, and to first order more than OPEN times of
        what was gained is left to gain: c(b) > OPEN (s(b) - s(x))
    """
    return [{"quantity": ("never_rises_fraction", "constant_fraction", "unconverged_fraction")}]


class Climbs(NamedTuple):
    """What the paths of m images came to, all of them correct when clean: (m,) each."""

    stands: Tensor  # bool: does no step fool?
    rises: Tensor  # bool: do the log-odds exceed those of x by more than rounding?
    varies: Tensor  # bool: does it, or do the logits anywhere in the ball?
    start: Tensor  # log-odds of an error at x, float64
    best: Tensor  # and at b
    gap: Tensor  # c(b), of the log-odds

    @property
    def remaining(self) -> Tensor:
        """c(b) as a part of what was gained; NaN or infinite where nothing was."""
        return self.gap / (self.best - self.start)


def diagnose(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> list[Measurement]:
    """x: (n, c, h, w) in [0, 1].  y: (n,) labels.  Fractions of the n images."""
    found = climb(model, x, y, config=config, generator=generator)
    masks = {
        "never_rises_fraction": ~found.rises & found.varies,
        "constant_fraction": ~found.varies,
        "unconverged_fraction": found.rises & found.stands & (found.remaining > OPEN),
    }
    return [fraction(name, mask, len(y)) for name, mask in masks.items()]


def climb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> Climbs:
    """The paths of those images, in order, that are correct when clean. As ``diagnose``."""
    with kept(model), frozen(model):
        network = GradientSafe(model).eval()
        right = correct(network, x, y) if len(y) else torch.zeros_like(y, dtype=torch.bool)
        parts = [part for part in together(x[right], y[right]) if len(part[1])]
        found = [_climbed(network, a, b, config, generator) for a, b in parts]
    truths, numbers = right[:0], torch.empty(0, dtype=torch.float64, device=x.device)
    none = Climbs(truths, truths, truths, numbers, numbers, numbers)
    return Climbs(*(torch.cat(parts) for parts in zip(none, *found, strict=True)))


def _climbed(
    network: nn.Module, x: Tensor, y: Tensor, config: Config, generator: Generator
) -> Climbs:
    with torch.no_grad():
        clean = network(x)
    start, path = log_odds(clean, y), _Path(network, x)
    ascent = pgd.Ascent(**dict(config), random_start=False)
    how: dict[str, Any] = {"config": ascent, "generator": generator, "climbed": path.look}
    end = pgd.craft(path.network, x, y, **how)
    path.look(path.network, end, y)
    rises = path.best > start + 2 * ROUNDING * clean.abs().amax(1)
    varied, flat = rises.clone(), (~rises).nonzero().squeeze(1)
    if len(flat):
        varied[flat] = varies(
            network, x[flat], norm=config.norm, epsilon=config.epsilon, generator=generator
        )
    gap = first_order_gap(x, path.at, path.slope(y), config.norm, config.epsilon)
    return Climbs(~path.fooled, rises, varied, start, path.best, gap)


class _Path:
    """Where each image's log-odds were largest so far, and which images have been fooled."""

    def __init__(self, network: nn.Module, x: Tensor) -> None:
        self.network, self.at = folded(network, x), x.clone()
        self.best = torch.full((len(x),), -torch.inf, dtype=torch.float64, device=x.device)
        self.fooled = torch.zeros(len(x), dtype=torch.bool, device=x.device)

    def look(self, network: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (n, K), and the log-odds of an error, which PGD climbs, summed over the images."""
        logits = network(x)
        climbed = log_odds(logits, y)
        odds = climbed.detach().nan_to_num(nan=-torch.inf)  # a NaN is no rise
        better = odds > self.best
        self.at[better], self.best[better] = x.detach()[better], odds[better]
        self.fooled |= logits.argmax(1) != y
        return logits, climbed.sum()

    def slope(self, y: Tensor) -> Tensor:
        """The gradient of the log-odds where they were largest. Like x."""
        at = self.at.clone().requires_grad_()
        return torch.autograd.grad(log_odds(self.network(at), y).sum(), at)[0]
