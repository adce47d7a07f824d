"""Randomised smoothing: the certified accuracy of the smoothed classifier by l2 radius.

Cohen et al. (2019), arXiv 1902.02918, algorithm Certify: of n0 noisy copies of an image, the most
frequent class; of n more, how often that class; the probability of it is at least p, Clopper and
Pearson's bound at 1 - alpha. Where p > 1/2 no perturbation of l2 length below sigma Phi^-1(p) turns
the smoothed classifier; else it abstains. The network is the base classifier; of models/smoothed.py
it is the one inside. It has nothing to do with smoothed labels (smoothed_accuracy.py).

Each certificate may be wrong with probability alpha, over its draws. Known bias: n limits the
radius, to sigma Phi^-1(alpha^(1/n)): 2.5 sigma for 1,000 copies and 3.8 sigma for 100,000, as in
the paper.
"""

from typing import Annotated

import torch
from pydantic import Field, PositiveInt
from torch import Generator, Tensor, nn

from robustinfo.attacks._frozen import frozen
from robustinfo.core.batches import quick_batch
from robustinfo.core.measurement import Measurement, fraction
from robustinfo.core.settings import Number, Outline, PositiveNumber, Settings
from robustinfo.defences.gaussian_noise import with_noise
from robustinfo.maths.smoothing import certified_radius
from robustinfo.models.smoothed import base_of

CERTIFIED, ABSTAINED = "smoothing_certified_accuracy", "smoothing_abstained_fraction"

RADII = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)


class Config(Settings):
    sigma: PositiveNumber  # of the noise, as in training, in pixel values of [0, 1]
    selection: PositiveInt = 100  # n0, copies that choose the class
    samples: PositiveInt = 1000  # n, copies that bound its probability
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.001  # probability that a certificate is wrong
    # that an image has to be certified beyond, in l2; one row each
    radii: Annotated[tuple[Number, ...], Field(strict=False, min_length=1)] = RADII


def outline(config: Config) -> Outline:
    """The names of its rows.

    smoothing_certified_accuracy  images that the smoothed classifier gives their label, certified
        beyond the radius that is the level, in l2
    smoothing_abstained_fraction  images on which it abstains
    """
    return [{"quantity": (CERTIFIED,), "level": config.radii}, {"quantity": (ABSTAINED,)}]


def diagnose(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> list[Measurement]:
    """Fractions of the n images.  x: (n, c, h, w) in [0, 1].  y: (n,) labels."""
    labels, radii = certify(model, x, config=config, generator=generator)
    right = labels == y
    curve = [
        fraction(CERTIFIED, right & (radii > radius))._replace(level=radius)
        for radius in config.radii
    ]
    return [*curve, fraction(ABSTAINED, labels < 0)]


def certify(
    model: nn.Module, x: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """The classes of the smoothed classifier, (n,), -1 where it abstains; and their radii, (n,)."""
    network = base_of(model)
    labels, radii = torch.full((len(x),), -1, device=x.device), torch.zeros(len(x), device=x.device)
    with frozen(network):
        for number, image in enumerate(x):
            guess = _votes(network, image, config.selection, config.sigma, generator).argmax()
            count = _votes(network, image, config.samples, config.sigma, generator)[guess]
            radius = certified_radius(
                int(count), config.samples, sigma=config.sigma, alpha=config.alpha
            )
            if radius is not None:
                labels[number], radii[number] = guess, radius
    return labels, radii


@torch.no_grad()
def _votes(
    network: nn.Module, image: Tensor, count: int, sigma: float, generator: Generator
) -> Tensor:
    """How many of so many noisy copies get each class, (K,).  image: (c, h, w)."""
    votes, at_once = torch.zeros(0, dtype=torch.long, device=image.device), quick_batch(image[None])
    for first in range(0, count, at_once):
        shape = (min(at_once, count - first), *image.shape)
        logits = network(with_noise(image.expand(shape), sigma, generator))
        new = torch.bincount(logits.argmax(1), minlength=logits.shape[1])
        votes = new if not len(votes) else votes + new
    return votes
