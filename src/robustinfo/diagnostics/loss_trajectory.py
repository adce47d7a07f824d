"""PGD's loss along its path, per image: does it rise at all, and does it end at a stationary point?

Carlini et al. (2019), arXiv 1902.06705, section 5, and Tramer et al. (2020), arXiv 2002.08347: an
attack whose loss does not rise shows no robustness; one that ends while its loss still rises has
been stopped too early. PGD maximises the log-odds of an error,
s = log((1 - p_y) / p_y), and takes all its steps with all images that are correct when clean; s is
recorded before every step and after the last. b is the point of the path with the largest s.
The results are fractions of all n images (``outline``).

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
from robustinfo.attacks._fused_batchnorm import fold_batchnorm
from robustinfo.attacks._gradient_safe import GradientSafe
from robustinfo.core.batches import correct, memory_batches
from robustinfo.core.measurement import Measurement, fraction
from robustinfo.core.settings import Norm, Outline, Pixels, Settings
from robustinfo.diagnostics._ball_points import varies
from robustinfo.diagnostics._preserve_state import preserve_state
from robustinfo.maths.stationarity import first_order_gap, log_odds

OF_RESISTING = True  # where an attack on the cross-entropy succeeds, its path was no trouble
OPEN_RATIO = 0.9  # a linear path that ends before 53 % of its way has more left
ROUNDING = 1e-6  # of a logit, as a part of the largest


class Config(Settings):
    norm: Norm = "linf"
    epsilon: Pixels
    step_size: Pixels
    steps: PositiveInt


def outline(config: Config) -> Outline:
    """The names of its rows.

    never_rises_fraction  s(b) exceeds s(x) by no more than rounding, although the logits vary
        in the ball: there is something to climb, and the gradient does not lead there
    constant_fraction  the same where they do not vary: there is nothing to find
    unconverged_fraction  no step fools, s rises, and to first order more than OPEN times of
        what was gained is left to gain: c(b) > OPEN (s(b) - s(x))
    """
    return [{"quantity": ("never_rises_fraction", "constant_fraction", "unconverged_fraction")}]


class Paths(NamedTuple):
    """Statistics of the paths of m images, all of them correct when clean: (m,) each."""

    unbroken: Tensor  # bool: classified correctly at every step
    rises: Tensor  # bool: the log-odds exceed those of x by more than rounding
    varies: Tensor  # bool: they rise, or the logits vary in the ball
    start: Tensor  # log-odds of an error at x, float64
    best: Tensor  # and at b
    stationarity_gap: Tensor  # c(b), of the log-odds

    @property
    def remaining(self) -> Tensor:
        """c(b) over the gain s(b) - s(x); NaN or infinite where there is no gain."""
        return self.stationarity_gap / (self.best - self.start)


def diagnose(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> list[Measurement]:
    """Fractions of the n images.  x: (n, c, h, w) in [0, 1].  y: (n,) labels."""
    climbed = paths(model, x, y, config=config, generator=generator)
    masks = {
        "never_rises_fraction": ~climbed.rises & climbed.varies,
        "constant_fraction": ~climbed.varies,
        "unconverged_fraction": climbed.rises & climbed.unbroken & (climbed.remaining > OPEN_RATIO),
    }
    return [fraction(name, mask, len(y)) for name, mask in masks.items()]


def paths(model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator) -> Paths:
    """The paths of the images that are correct when clean, in order. Arguments: ``diagnose``."""
    with preserve_state(model), frozen(model):
        network = GradientSafe(model).eval()
        clean_correct = correct(network, x, y) if len(y) else torch.zeros_like(y, dtype=torch.bool)
        parts = [
            part for part in memory_batches(x[clean_correct], y[clean_correct]) if len(part[1])
        ]
        climbed = [_paths_of_batch(network, a, b, config, generator) for a, b in parts]
    truths, numbers = clean_correct[:0], torch.empty(0, dtype=torch.float64, device=x.device)
    none = Paths(truths, truths, truths, numbers, numbers, numbers)
    return Paths(*(torch.cat(parts) for parts in zip(none, *climbed, strict=True)))


def _paths_of_batch(
    network: nn.Module, x: Tensor, y: Tensor, config: Config, generator: Generator
) -> Paths:
    with torch.no_grad():
        clean = network(x)
    start, path = log_odds(clean, y), _Path(network, x)
    ascent = pgd.Ascent(**dict(config), random_start=False)
    options: dict[str, Any] = {"config": ascent, "generator": generator, "loss": path.log_odds_loss}
    end = pgd.craft(path.network, x, y, **options)
    path.log_odds_loss(path.network, end, y)
    rises = path.best > start + 2 * ROUNDING * clean.abs().amax(1)
    varied, flat = rises.clone(), (~rises).nonzero().squeeze(1)
    if len(flat):
        varied[flat] = varies(
            network, x[flat], norm=config.norm, epsilon=config.epsilon, generator=generator
        )
    gap = first_order_gap(x, path.at, path.gradient_at_best(y), config.norm, config.epsilon)
    return Paths(~path.fooled, rises, varied, start, path.best, gap)


class _Path:
    """The point of each image with the largest log-odds so far, and the images fooled so far."""

    def __init__(self, network: nn.Module, x: Tensor) -> None:
        self.network, self.at = fold_batchnorm(network, x), x.clone()
        self.best = torch.full((len(x),), -torch.inf, dtype=torch.float64, device=x.device)
        self.fooled = torch.zeros(len(x), dtype=torch.bool, device=x.device)

    def log_odds_loss(self, network: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """PGD's loss: logits (n, K), and the log-odds of an error, summed. Updates the best."""
        logits = network(x)
        climbed = log_odds(logits, y)
        odds = climbed.detach().nan_to_num(nan=-torch.inf)  # a NaN is no rise
        better = odds > self.best
        self.at[better], self.best[better] = x.detach()[better], odds[better]
        self.fooled |= logits.argmax(1) != y
        return logits, climbed.sum()

    def gradient_at_best(self, y: Tensor) -> Tensor:
        """The gradient of the log-odds at the best points. Like x."""
        at = self.at.clone().requires_grad_()
        return torch.autograd.grad(log_odds(self.network(at), y).sum(), at)[0]
