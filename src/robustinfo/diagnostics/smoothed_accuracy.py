"""Accuracy under PGD on smoothed labels, for every gamma by itself, and under the worst gamma.

Jin et al. (2020), arXiv 2011.13538, section 5.2.2, the adaptive curves of figure 2: against a
defence that promotes uncertainty, PGD climbs
    CE(f(x'), y - gamma (y - 1/K)),
"the best parameter gamma for each attack from [0, 1] at an interval of 0.1". Each gamma has its
robust accuracy; ``outline`` says how they are combined.

All gammas have the same starts. A success at any step counts, where the paper takes the last one
alone. Known bias: ``of_set``, the paper's, is the least of several fractions of the very images
that it is of, so lower than the worst gamma's true accuracy by chance, and its interval does not
allow for that; ``of_halves`` chooses by other images (two-fold cross-fitting).
"""

from functools import partial
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Generator, Tensor, nn

from robustinfo.attacks import pgd
from robustinfo.attacks._gradient_safe import GradientSafe
from robustinfo.attacks.label_smoothing_pgd import TENTHS, smoothed_cross_entropy
from robustinfo.core.batches import correct, memory_batches
from robustinfo.core.measurement import Measurement, fraction
from robustinfo.core.settings import Fraction01, Outline
from robustinfo.diagnostics.attack_accuracy import Strength

QUANTITIES = (
    "smoothed_accuracy_of_set", "smoothed_accuracy_of_halves", "smoothed_accuracy_of_image",
)  # fmt: skip


class Config(Strength):
    # gamma, by which labels are smoothed; one run each
    smoothings: Annotated[tuple[Fraction01, ...], Field(strict=False, min_length=1)] = TENTHS


def outline(config: Config) -> Outline:
    """The names of its rows.

    smoothed_accuracy_of_set  the least of these accuracies: one gamma for all images, as in
        the paper
    smoothed_accuracy_of_halves  the same with one gamma for every second image: the worst of the
        other images, so that none is judged by a gamma that it helped to choose
    smoothed_accuracy_of_image  the fraction robust under every gamma, the worst one for each
        image: at most as much. It is the stronger attack, and ours
    """
    return [{"quantity": QUANTITIES}]


def diagnose(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> list[Measurement]:
    """Fractions of the n images.  x: (n, c, h, w) in [0, 1].  y: (n,) labels."""
    robust = robust_by_gamma(model, x, y, config=config, generator=generator)
    masks = (_worst(robust, robust), _of_halves(robust), robust.all(0))
    return [fraction(name, mask) for name, mask in zip(QUANTITIES, masks, strict=True)]


def robust_by_gamma(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> Tensor:
    """Whether each image is robust against PGD with each gamma alone, (gammas, n) bool."""
    network = GradientSafe(model).eval()
    broken = [
        _broken(network, x, y, smoothing, config, generator.clone_state())
        for smoothing in config.smoothings
    ]
    return correct(model, x, y) & ~torch.stack(broken)


def _worst(robust: Tensor, by: Tensor) -> Tensor:
    """Images (n,) that are robust under the gamma that leaves fewest of ``by``, (gammas, m)."""
    return robust[by.sum(1).argmin()]


def _of_halves(robust: Tensor) -> Tensor:
    """Images (n,) that are robust under the worst gamma of the half that they are not in."""
    mask = torch.empty_like(robust[0])
    for half in (0, 1):
        mask[half::2] = _worst(robust[:, half::2], by=robust[:, 1 - half :: 2])
    return mask


def _broken(
    network: nn.Module,
    x: Tensor,
    y: Tensor,
    smoothing: float,
    config: Config,
    generator: Generator,
) -> Tensor:
    """Success of PGD with one gamma, (n,) bool."""
    numbers = pgd.Ascent(**config.path, **config.starts)
    losses = [partial(smoothed_cross_entropy, smoothing=smoothing)]
    options: dict[str, Any] = {"config": numbers, "generator": generator, "early_stop": True}
    parts = [pgd.search(network, a, b, losses, **options)[1] for a, b in memory_batches(x, y)]
    return torch.cat(parts)
