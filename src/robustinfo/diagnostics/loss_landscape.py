"""The loss and the margin around an image, along its gradient's sign and along a random sign.

Jin et al. (2020), arXiv 2011.13538, appendix C.2, figures 5 and 6: at x + a d + b r, a and b in
[-0.04, 0.04], d = sign of the gradient of CE(f(x), y) and r a random direction with |r|_inf = 1,
drawn here as a random sign per pixel. The paper shows two of the first eight test images, not a
mean, in which holes would vanish; so here every image has a surface of its own.

"EntM alone is likely (25% would be a rough estimation) to create a 'hole' in a small neighborhood
of X": a share of images, by eye. Here x lies in a hole if every path from x to the edge of the
square climbs, by LEAST_DEPTH of the surface's own height or more, and the part around x below
the least such climb (maths/hollow.py) is small, LARGEST_AREA of the square or less; a bowl that
rises up to the edges is larger. Both numbers are ours: depth and area are told of every image.
"EntM alone creates a small neighborhood where the margin is large": ``right_area`` is the share of
the square in which the margin is above 0.

Known bias: two directions of thousands, and by chance. As in the paper, points may lie outside
[0, 1], where no image is. Where the gradient vanishes, d is 0 and nothing changes along it.
"""

from collections.abc import Iterator
from itertools import product
from typing import Annotated, Any

import torch
from pydantic import AfterValidator, Field
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from robustinfo.attacks._frozen import frozen
from robustinfo.core.batches import EVALUATION_BATCH
from robustinfo.core.measurement import Measurement, fraction
from robustinfo.core.settings import Outline, Pixels, Settings
from robustinfo.maths.hollow import hollow
from robustinfo.maths.margin import margin

DRAWN = 8  # of the first images the whole surface; of the others, only what holes there are
LEAST_DEPTH = 0.1  # of a hole
LARGEST_AREA = 0.25  # of a hole, as a share of the square


def _odd(side: int) -> int:
    if side % 2 == 0:
        raise ValueError("is odd, so that one of the points is the image")
    return side


class Config(Settings):
    images: Annotated[int, Field(ge=1, le=1000)] = 8  # so many of the first
    reach: Pixels = 0.04  # of both directions
    side: Annotated[int, Field(ge=3, le=1001), AfterValidator(_odd)] = 21  # points along each


def outline(config: Config) -> Outline:
    """The names of its rows.

    loss  cross-entropy at a step along the gradient's sign (input) and a random sign (level)
    margin  true logit less the best other there
    hole_depth  the least climb out of the image's place, as a share of the surface's height
    hole_area  the share of the square below that climb
    right_area  the share of the square in which the image is classified correctly
    hole_fraction  fraction of the images that lie in a hole
    """
    layers = tuple(f"image {number}" for number in range(config.images))
    steps = _steps(config)
    across = tuple(f"{step:g}" for step in steps)
    points = {"layer": layers[:DRAWN], "input": across, "level": steps}
    return [
        {"quantity": ("loss", "margin")} | points,
        {"quantity": ("hole_depth", "hole_area", "right_area"), "layer": layers},
        {"quantity": ("hole_fraction",)},
    ]


def diagnose(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> list[Measurement]:
    """``loss`` in nats and ``margin`` in logits.  x: (n, c, h, w) in [0, 1].  y: (n,) labels.

    The layer is the image; level: the step along the gradient's sign; input: along the random one.
    ``hole_depth`` is a part of the surface's height, the areas are shares of its points; of images
    ``hole_fraction``.
    """
    x, y = x[: config.images], y[: config.images]
    places = list(product(_steps(config), repeat=2))
    measurements: list[Measurement] = []
    holes: list[bool] = []
    with frozen(model):
        directions = torch.stack([_gradient_sign(model, x, y), _random_sign(x, generator)], 1)
        for number, (image, label, two) in enumerate(zip(x, y, directions, strict=True)):
            logits = _logits(model, image, two, x.new_tensor(places))
            labels = label.expand(len(logits))
            heights = {
                "loss": F.cross_entropy(logits, labels, reduction="none"),
                "margin": margin(logits, labels),
            }
            if number < DRAWN:
                measurements += _points(number, places, heights)
            of_hole = _hole_measurements(
                *(values.view(config.side, -1) for values in heights.values())
            )
            measurements += [one._replace(layer=f"image {number}") for one in of_hole]
            depth, area, _ = (one.value for one in of_hole)
            holes.append(depth >= LEAST_DEPTH and area <= LARGEST_AREA)
    return [*measurements, fraction("hole_fraction", torch.tensor(holes))]


def _points(
    number: int, places: list[tuple[float, ...]], heights: dict[str, Tensor]
) -> Iterator[Measurement]:
    """Loss and margin of one image at every point.  heights: (p,) by quantity."""
    for quantity, values in heights.items():
        for value, (along, across) in zip(values.tolist(), places, strict=True):
            fields: dict[str, Any] = {
                "input": f"{across:g}",
                "layer": f"image {number}",
                "level": along,
            }
            yield Measurement(quantity, value, **fields)


def _hole_measurements(loss: Tensor, margins: Tensor) -> list[Measurement]:
    """Depth and areas of one image.  loss, margins: (side, side)."""
    depth, area = hollow(loss)
    values = {"hole_depth": depth, "hole_area": area}
    values["right_area"] = (margins > 0).double().mean().item()
    return [Measurement(name, value, n=1) for name, value in values.items()]


def _steps(config: Config) -> tuple[float, ...]:
    """The steps along either direction, in pixel values."""
    parts = [2 * i / (config.side - 1) - 1 for i in range(config.side)]  # -1 to 1, and 0 exactly
    return tuple(float(f"{config.reach * part:g}") for part in parts)  # -0.036, not ...00000000004


def _gradient_sign(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    loss = F.cross_entropy(model(x), y, reduction="sum")
    if not loss.requires_grad:
        return torch.zeros_like(x)
    (gradient,) = torch.autograd.grad(loss, x, materialize_grads=True)
    return gradient.sign()


def _random_sign(x: Tensor, generator: Generator) -> Tensor:
    draw = torch.randint(2, x.shape, generator=generator, device=generator.device)
    return (2 * draw - 1).to(x)


@torch.no_grad()
def _logits(model: nn.Module, image: Tensor, directions: Tensor, places: Tensor) -> Tensor:
    """(p, K).  image: (c, h, w).  directions: (2, c, h, w).  places: (p, 2) steps along them."""
    parts = places.split(EVALUATION_BATCH)
    moves = (torch.einsum("pi,ichw->pchw", part, directions) for part in parts)
    return torch.cat([model(image + move) for move in moves])
