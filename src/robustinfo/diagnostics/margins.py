"""Margins, the Jacobian's norm, and the nonlinearity of the logits: what may explain robustness.

Jin et al. (2020), arXiv 2011.13538, section 6, table 4 and figure 4. Of every image
    margin              M = f_y(x) - max_{i != y} f_i(x), in logits; negative: misclassified
    spectral norm       |J|_2, the largest singular value of J = d f(x) / d x
    normalised margin   M / |J|_2; if f were linear, no boundary would be nearer than this over
                        root 2 (Tsuzuku et al. 2018, arXiv 1802.04034)
    nonlinearity        Q = |f(x') - f(x) - J (x' - x)|_2 / |J (x' - x)|_2 at x' of l2 PGD
and Pearson's correlation of the normalised margin with the l2 distance that a stored attack of the
study needed, a minimal-distance attack, on the images that it broke. In figure 4 each of these is a
point; CURVED of them have a high Q.

The paper does not say mean or median. Its figures look like means over the images: of EntM, M is
1.31 and |J|_2 3.44, yet M / |J|_2 is 2.81, not about 0.38, as where some |J|_2 are tiny; medians do
not do that unless M varies as much. So these are means, over all images, misclassified ones too.
"Q > 65, which is the 40-percentile", beside a mean of 52.5, is read as the upper 40 %. The l2 step
is not printed: a tenth of epsilon, as for linf, and one run from a random start.

Known bias: J is that of a point. Where a network masks its gradient, |J|_2 is small, the normalised
margin large, and neither bounds an attack; where J vanishes, ratios are infinite or nan.
"""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Generator, Tensor, nn

from robustinfo.attacks import pgd
from robustinfo.attacks._frozen import frozen
from robustinfo.attacks._fused_batchnorm import fold_batchnorm
from robustinfo.core.batches import EVALUATION_BATCH
from robustinfo.core.measurement import Measurement, fraction, mean
from robustinfo.core.settings import ANY, Outline, Settings
from robustinfo.maths.jacobian import linearised
from robustinfo.maths.margin import margin

# PGD, for the accuracy and the nonlinearity.
ATTACK = pgd.Config(norm="l2", epsilon=0.5, step_size=0.05, steps=20)
CURVED = 0.4  # of the points of figure 4


class Config(Settings):
    examples: str  # an attack of the study that looks for the least l2 distance


def outline(config: Config) -> Outline:
    """The names of its rows.

    margin  true logit less the best other, mean over the images, in logits
    jacobian_spectral_norm  largest singular value of the logits' Jacobian, mean over the images
    normalised_margin  margin over that singular value: an l2 distance, mean over the images
    attack_accuracy  fraction of the images that l2 PGD leaves correct
    nonlinearity  Q: how far the logits are from linear on the way to l2 PGD's point, mean
    minimal_distance_fraction  fraction of the images that the attack of least distance turned
    correlation  Pearson's, of the normalised margin with that attack's l2 distance
    x, y  normalised margin and l2 distance of one image, a point of figure 4
    """
    means = (
        "margin", "jacobian_spectral_norm", "normalised_margin", "attack_accuracy", "nonlinearity",
        "minimal_distance_fraction", "correlation",
    )  # fmt: skip
    points = {"layer": ("* Q, image *",), "input": (config.examples,), "level": ANY}
    return [{"quantity": means}, {"quantity": ("x", "y"), **points}]


def diagnose(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    config: Config,
    generator: Generator,
    examples: dict[str, Tensor],
) -> list[Measurement]:
    """Means over the n images; then figure 4.  x: (n, c, h, w) in [0, 1].  y: (n,) labels.

    examples: ``success`` (n,) bool and ``distance_l2`` (n,). With fewer than two successes the
    correlation is nan. Of a point, ``x`` is the normalised margin, ``y`` the distance, the level
    the image, and its layer reads ``high Q, image 17``.
    """
    parts = [
        _per_image(model, a, b, generator=generator)
        for a, b in zip(x.split(EVALUATION_BATCH), y.split(EVALUATION_BATCH), strict=True)
    ]
    each = {name: torch.cat([part[name] for part in parts]).double() for name in parts[0]}
    turned = examples["success"]
    points = torch.stack([each["normalised_margin"], examples["distance_l2"].double()])[:, turned]
    correlation = torch.corrcoef(points)[0, 1].item() if turned.sum() > 1 else math.nan
    return [
        *(_mean(name, values) for name, values in each.items()),
        fraction("minimal_distance_fraction", turned),
        Measurement("correlation", correlation),
        *_figure_points(points, each["nonlinearity"][turned], turned.nonzero().flatten(), config),
    ]


def _mean(name: str, values: Tensor) -> Measurement:
    right = name == "attack_accuracy"
    return fraction(name, values.bool()) if right else mean(name, values)


def _per_image(
    model: nn.Module, x: Tensor, y: Tensor, *, generator: Generator
) -> dict[str, Tensor]:
    """The quantities of the table per image, (n,) each."""
    x_adv = pgd.craft(model, x, y, config=ATTACK, generator=generator)
    with frozen(model):
        network = fold_batchnorm(model, x)  # BatchNorm's backward pass is most of ten of a ResNet's
        first_order = linearised(network, x, x_adv - x)
        with torch.no_grad():
            logits = network(x_adv)
    size = margin(first_order.logits, y)
    residual = logits - first_order.logits - first_order.change
    return {
        "margin": size,
        "jacobian_spectral_norm": first_order.spectral_norm,
        "normalised_margin": size / first_order.spectral_norm,
        "attack_accuracy": (first_order.logits.argmax(1) == y) & (logits.argmax(1) == y),
        "nonlinearity": residual.norm(dim=1) / first_order.change.norm(dim=1),
    }


def _figure_points(
    points: Tensor, curved: Tensor, images: Tensor, config: Config
) -> Iterator[Measurement]:
    """The points of figure 4.  points: (2, m).  curved: (m,) their Q.  images: (m,) indices."""
    edge = curved.quantile(1 - CURVED) if len(curved) else math.nan
    for image, (x, y), q in zip(images.tolist(), points.T.tolist(), curved.tolist(), strict=True):
        layer = f"{'high' if q > edge else 'low'} Q, image {image}"
        fields: dict[str, Any] = {"input": config.examples, "layer": layer, "level": float(image)}
        yield Measurement("x", x, **fields)
        yield Measurement("y", y, **fields)
