"""The loss and the margin around an image, along its gradient's sign and along a random sign.

Jin et al. (2020), arXiv 2011.13538, appendix C.2, figures 5 and 6: at x + a d + b r, a and b in
[-0.04, 0.04], d = sign of the gradient of CE(f(x), y) and r a random direction with |r|_inf = 1,
drawn here as a random sign per pixel. A dent around x, where the loss is lower than anywhere near,
stops attacks that climb the gradient. The paper shows two of the first eight test images, not a
mean, in which dents would vanish; so here every image has a surface of its own.

Known bias: two directions of thousands, and by chance. As in the paper, points may lie outside
[0, 1], where no image is. Where the gradient vanishes, d is 0 and nothing changes along it.
"""

from itertools import product
from typing import Annotated

import torch
from pydantic import Field
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from robustinfo.attacks._foolbox import frozen
from robustinfo.batches import EVALUATION_BATCH
from robustinfo.maths.margin import margin
from robustinfo.measurement import Measurement
from robustinfo.settings import Outline, Pixels, Settings


class Config(Settings):
    images: Annotated[int, Field(ge=1, le=1000)] = 8  # so many of the first
    reach: Pixels = 0.04  # of both directions
    side: Annotated[int, Field(ge=2, le=1001)] = (
        21  # points along each; odd: one of them is the image
    )


def outline(config: Config) -> Outline:
    """What its rows are called."""
    layers = tuple(f"image {number}" for number in range(config.images))
    steps = _steps(config)
    across = tuple(f"{step:g}" for step in steps)
    return [{"quantity": ("loss", "margin"), "layer": layers, "input": across, "level": steps}]


def diagnose(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> list[Measurement]:
    """x: (n, c, h, w) in [0, 1].  y: (n,) labels.  ``loss`` in nats and ``margin`` in logits.

    The layer is the image; level: the step along the gradient's sign; input: along the random one.
    """
    x, y = x[: config.images], y[: config.images]
    places = list(product(_steps(config), repeat=2))
    found = []
    with frozen(model):
        directions = torch.stack([_gradient_sign(model, x, y), _random_sign(x, generator)], 1)
        for number, (image, label, two) in enumerate(zip(x, y, directions, strict=True)):
            logits = _logits(model, image, two, x.new_tensor(places))
            labels = label.expand(len(logits))
            heights = {
                "loss": F.cross_entropy(logits, labels, reduction="none"),
                "margin": margin(logits, labels),
            }
            for quantity, values in heights.items():
                found += [
                    Measurement(
                        quantity, value, input=f"{across:g}", layer=f"image {number}", level=along
                    )
                    for value, (along, across) in zip(values.tolist(), places, strict=True)
                ]
    return found


def _steps(config: Config) -> tuple[float, ...]:
    """Along either direction."""
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
