"""One-pixel attack: a few pixels get other colours, found by differential evolution.

Su et al. (2019), arXiv 1710.08864. It queries the probability of the true class alone, and
minimises it over the places and colours of ``pixels`` pixels. ``population`` candidates breed
``steps`` generations: a child is a + differential_weight (b - c), with a, b, c three different
candidates and no crossover, and takes the place of its parent if it is no worse. Places start
uniform, colours as N(128, 127) / 255; what leaves the image or [0, 1] is cut.

An image is done at its first candidate that fools, while the paper goes on until the true class is
below 5 %: that makes no more images a success. All images of a batch breed at once, which SciPy's
differential evolution cannot do. An ``epsilon`` bounds how far the pixels may change, in ``norm``.

Known bias: with several pixels a weak search; the places of pixels are numbers, and mixing two good
places gives any place. On a trained LeNet-5 (MNIST) one pixel turned 1 of 99 images, as did trying
every pixel black and white; five turned 1 of 19, where painting the best pixel black or white five
times over turned 7. What stands has not been shown to withstand five pixels.
"""

from typing import Annotated

import torch
from pydantic import Field, PositiveInt
from torch import Generator, Tensor, nn

from robustinfo.attacks._frozen import frozen
from robustinfo.attacks._success import clearly_fooled, keep_successes
from robustinfo.core.settings import Norm, Pixels, PositiveNumber, Settings
from robustinfo.maths.balls import projected

ROLE = "black_box"
AT_ONCE = 4096  # candidates in one forward pass


class Config(Settings):
    norm: Norm = "linf"
    epsilon: Pixels | None = None  # None: any colour counts
    pixels: PositiveInt = 1  # that may change
    population: Annotated[int, Field(ge=3)] = 400  # candidates of a generation
    steps: PositiveInt = 100
    differential_weight: PositiveNumber = 0.5  # F of differential evolution


@torch.no_grad()
def perturb(
    model: nn.Module, x: Tensor, y: Tensor, *, config: Config, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Attack x, (n, c, h, w) in [0, 1].  y: (n,) labels.  Returns x_adv, and success (n,) bool.

    A success is misclassified, was correct, differs in at most ``pixels`` pixels, and lies within
    epsilon if there is one; a failure returns its x.
    """
    x_adv = x.clone()
    with frozen(model):
        left = (model(x).argmax(1) == y).nonzero().squeeze(1)
        genes = children = _first_generation(x[left], config, generator)
        fitness = torch.full(genes.shape[:2], torch.inf, dtype=torch.double, device=x.device)
        for _ in range(config.steps + 1):
            if not len(left):
                break
            scores, fooled = _evaluated(model, x[left], y[left], children, config)
            done = fooled.any(1)
            best = scores.masked_fill(~fooled, torch.inf).argmin(1)
            winners = children[done, best[done]][:, None]
            x_adv[left[done]] = _painted(x[left[done]], winners, config).squeeze(1)
            better = scores <= fitness
            genes[better], fitness[better] = children[better], scores[better]
            left, genes, fitness = left[~done], genes[~done], fitness[~done]
            children = _children(genes, config, generator)
    return keep_successes(model, x, y, x_adv, norm=config.norm, epsilon=config.epsilon)


def _first_generation(x: Tensor, config: Config, generator: Generator) -> Tensor:
    """The first candidates: (n, population, pixels, 2 + c), row, column and colour in [0, 1]."""
    n, c, _, _ = x.shape
    shape, device = (n, config.population, config.pixels), generator.device
    places = torch.rand(*shape, 2, generator=generator, device=device, dtype=x.dtype)
    colours = torch.randn(*shape, c, generator=generator, device=device, dtype=x.dtype)
    colours = ((128 + 127 * colours) / 255).clamp(0, 1)
    return torch.cat([places, colours], 3).to(x.device)


def _children(genes: Tensor, config: Config, generator: Generator) -> Tensor:
    """A child for every candidate. Like genes."""
    n, size = genes.shape[:2]

    def random_places(below: int) -> Tensor:
        draw = torch.randint(below, (n, size), generator=generator, device=generator.device)
        return draw.to(genes.device)

    # Two different distances, neither of them 0, from the first parent to the other two.
    a, to_b, to_c = random_places(size), 1 + random_places(size - 1), 1 + random_places(size - 2)
    b, c = (a + to_b) % size, (a + to_c + (to_c >= to_b)) % size
    image = torch.arange(n, device=genes.device)[:, None]
    children = genes[image, a] + config.differential_weight * (genes[image, b] - genes[image, c])
    return children.clamp(0, 1)


def _evaluated(
    model: nn.Module, x: Tensor, y: Tensor, genes: Tensor, config: Config
) -> tuple[Tensor, Tensor]:
    """The true class's probability for every candidate, and whether it is misclassified.

    Both (n, population). In float32 all probabilities near 1 would be the same.
    """
    scores, fooled = [], []
    images = max(1, AT_ONCE // config.population)
    for batch, labels, of in zip(
        x.split(images), y.split(images), genes.split(images), strict=True
    ):
        logits = model(_painted(batch, of, config).flatten(0, 1))  # (n population, K)
        true_class = labels.repeat_interleave(of.shape[1])
        likely = logits.double().softmax(1).gather(1, true_class[:, None])
        scores.append(likely.view(of.shape[:2]))
        fooled.append(clearly_fooled(logits, true_class).view(of.shape[:2]))
    return torch.cat(scores), torch.cat(fooled)


def _painted(x: Tensor, genes: Tensor, config: Config) -> Tensor:
    """(n, c, h, w) and (n, candidates, pixels, 2 + c) -> (n, candidates, c, h, w)."""
    h, w = x.shape[2:]
    clean = x[:, None].expand(-1, genes.shape[1], -1, -1, -1).flatten(0, 1)
    images, rows = clean.clone(), torch.arange(len(clean), device=x.device)
    for pixel in genes.flatten(0, 1).unbind(1):  # in order, should two be at the same place
        i = (pixel[:, 0] * h).long().clamp(max=h - 1)
        j = (pixel[:, 1] * w).long().clamp(max=w - 1)
        images[rows, :, i, j] = pixel[:, 2:]
    return projected(clean, images, config.norm, config.epsilon).view(
        *genes.shape[:2], *x.shape[1:]
    )
