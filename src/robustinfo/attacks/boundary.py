"""Boundary attack: a random walk along the decision boundary that asks for the label alone.

Brendel et al. (2018), arXiv 1712.04248, as in foolbox, whose authors are the paper's. From an image
that fools, every step goes ``spherical_step`` of the distance to x in a random direction around x,
then ``source_step`` of it towards x, and is undone unless that fools. The sizes adapt to each
image. Every ``adapt_every`` steps it is noted whether both fooled, and whether the first half did:
at 100 notes both sizes grow if the first half fooled in more than a half, and shrink below a fifth;
at 30 the second size grows if both fooled in more than a quarter, and shrinks below a tenth.

A search starts from uniform noise that fools, or, where the network takes 100 draws for the true
class, from the nearest image of the batch that it takes for another; and by bisection from where
the line between x and that first fools.

Known bias: slow. On a trained LeNet-5 (50 images of MNIST) the median l2 distance was 7.8 after
1,000 steps, 2.17 after 5,000 and 1.31 after 25,000, where Carlini and Wagner's attack finds 1.18;
with ``adapt_every`` 1, which asks for almost twice as many labels, 3.4, 1.53 and 1.27. foolbox
draws one direction a step for all images of a batch. Walks that end on the boundary itself, where
rounding decides, go 0.1 % back.
"""

from typing import Annotated, Literal

import foolbox.attacks as fa
import torch
from pydantic import Field, PositiveInt
from torch import Generator, Tensor, nn

from robustinfo.attacks import _foolbox
from robustinfo.settings import Pixels, PositiveNumber, Settings

ROLE = "black_box"
DRAWS = 100  # of noise, before an image of the batch is taken
HALVINGS = 12
BACK = 1.001  # of the distance, where a walk has ended on the boundary itself


class Config(Settings):
    norm: Literal["l2"] = "l2"
    epsilon: Pixels | None = None  # None: any perturbation counts
    steps: PositiveInt = 25_000
    spherical_step: PositiveNumber = 0.01
    source_step: PositiveNumber = 0.01
    step_adaptation: Annotated[float, Field(gt=1, allow_inf_nan=False)] = 1.5
    adapt_every: PositiveInt = 10


def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """x: (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, and lies within epsilon if there is one; a failure
    returns its x. Where all images and noise are of one class, there is no start and no success.
    """
    attack = fa.BoundaryAttack(
        steps=config.steps,
        spherical_step=config.spherical_step,
        source_step=config.source_step,
        step_adaptation=config.step_adaptation,
        update_stats_every_k=config.adapt_every,
    )
    x_adv = _starts(model, x, y, generator)
    left = _fooling(model, x, y).logical_not().nonzero().squeeze(1)
    # foolbox refuses a start that does not fool, and at the boundary the size of a batch can tell.
    while len(left) and not (fools := _fooling(model, x_adv[left], y[left])).all():
        left = left[fools]
    if len(left):
        settings = {"epsilon": config.epsilon, "generator": generator}
        starts = {"starting_points": x_adv[left]}
        x_adv[left] = _foolbox.run(attack, model, x[left], y[left], **settings, **starts)[1]
    back = (x + BACK * (x_adv - x)).clamp(0, 1)
    x_adv = torch.where(_fooling(model, x_adv, y)[:, None, None, None], x_adv, back)
    return _foolbox.judged(model, x, y, x_adv, norm=config.norm, epsilon=config.epsilon)


@torch.no_grad()
def _fooling(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    with _foolbox.frozen(model):
        return model(x).argmax(1) != y


@torch.no_grad()
def _starts(model: nn.Module, x: Tensor, y: Tensor, generator: Generator) -> Tensor:
    """For each image one that fools, if there is any to be had. Like x."""
    with _foolbox.frozen(model):
        classes = model(x).argmax(1)
    far = torch.cdist(x.flatten(1), x.flatten(1)).masked_fill(classes == y[:, None], torch.inf)
    start = x[far.argmin(1)]
    left = (classes == y).nonzero().squeeze(1)
    for _ in range(DRAWS):
        if not len(left):
            break
        shape = (len(left), *x.shape[1:])
        noise = torch.rand(shape, generator=generator, device=generator.device).to(x)
        fools = _fooling(model, noise, y[left])
        start[left[fools]] = noise[fools]
        left = left[~fools]
    near, reach = x, start  # near is taken for the true class, reach is not
    for _ in range(HALVINGS):
        middle = (near + reach) / 2
        fools = _fooling(model, middle, y)[:, None, None, None]
        near, reach = torch.where(fools, near, middle), torch.where(fools, middle, reach)
    return reach
