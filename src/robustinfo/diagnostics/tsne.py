"""A picture of layers: their activations of test images in two dimensions, by t-SNE.

van der Maaten and Hinton (2008), JMLR 9; computed by scikit-learn. Neighbours stay neighbours;
distances between clusters, their sizes and the axes mean nothing, and another seed gives another
picture. It shows, and proves nothing.
"""

from typing import Any

import torch
from pydantic import PositiveInt
from sklearn.manifold import TSNE
from torch import Generator, Tensor

from robustinfo.core.batches import EVALUATION_BATCH
from robustinfo.core.errors import UserError
from robustinfo.core.measurement import Measurement
from robustinfo.core.settings import Names, Outline, PositiveNumber, Settings
from robustinfo.models._network import Network


class Config(Settings):
    layers: Names  # of the model's probes
    images: PositiveInt = 1000  # the first so many
    perplexity: PositiveNumber = 30.0  # of t-SNE: about how many neighbours count


def outline(config: Config) -> Outline:
    """The names of its rows.

    x, y  the place of an image's activations in the plane; no unit
    """
    return [{"quantity": ("x", "y"), "layer": config.layers, "input": ("class *, image *",)}]


@torch.no_grad()
def diagnose(
    model: Network, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> list[Measurement]:
    """Coordinates ``x`` and ``y`` of each image.  x: (n, c, h, w) in [0, 1].  y: (n,) labels.

    Its input reads ``class 3, image 17``.
    """
    if unknown := set(config.layers) - set(model.probes):
        raise UserError(f"no layer {', '.join(unknown)}; tsne has {', '.join(model.probes)}")
    subset = x[: config.images]
    if len(subset) <= config.perplexity:
        raise UserError(
            f"{len(subset)} images are too few for a perplexity of {config.perplexity:g}"
        )
    parts = [model.observe(part, config.layers)[1] for part in subset.split(EVALUATION_BATCH)]
    seed = int(torch.randint(2**31, (), generator=generator, device=generator.device))
    measurements = []
    for layer in config.layers:
        t = torch.cat([part[layer] for part in parts]).float().cpu().numpy()
        points = TSNE(perplexity=config.perplexity, random_state=seed).fit_transform(t)
        for index, (point, label) in enumerate(zip(points, y.tolist(), strict=False)):
            for axis, value in zip("xy", point, strict=True):
                fields: dict[str, Any] = {"layer": layer, "input": f"class {label}, image {index}"}
                measurements.append(Measurement(axis, float(value), **fields))
    return measurements
