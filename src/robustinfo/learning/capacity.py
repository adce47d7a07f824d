"""The least number of weights with which a network with one hidden layer memorises a set of images.

"One Bit Matters", arXiv 1810.09650, section 4.1 and figure 3: of an MLP 784-64-10
with ReLU or linear units, all but k random weights are zero and stay zero; wanted is the least k
with a training accuracy of 1 - epsilon. Instead of one search per epsilon, every k of a grid is
trained once and every epsilon is read off. Masks are nested: one random order of the weights of
both layers, of which the first k are kept. Every set meets the same masks and the same first
weights, so that sets are compared in pairs. Biases are trained, and not counted.

The paper leaves the training open. Here: Adam on the whole set at once; the best accuracy of all
steps counts. Biased upwards: what training does not find may exist, and k is one of the grid. Which
weights are kept decides much: a class that no kept weight reaches is never answered, a weight at a
pixel that is blank throughout the set is lost. Hence many masks, and differences mask by mask; and
hence ``border``: MNIST's clean images have an all but blank frame of four pixels, FGSM's have not.
"""

import logging
import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

import numpy as np
import torch
from pydantic import Field, NonNegativeInt, PositiveInt, model_validator
from torch import Generator, Tensor

from robustinfo.core.batches import to_float
from robustinfo.core.errors import UserError
from robustinfo.core.measurement import Measurement, with_interval
from robustinfo.core.settings import Fraction01, Names, Outline, PositiveNumber, Settings
from robustinfo.learning._masked import Start, memorise, start, untrained
from robustinfo.learning._task import Task
from robustinfo.maths.statistics import fraction_interval, student

log = logging.getLogger(__name__)


class Config(Settings):
    attacks: Names  # of the study, each a set beside the clean images
    images: PositiveInt | None = None  # the first so many training images; None: all
    hidden: PositiveInt = 64  # neurons of the hidden layer
    activation: Literal["relu", "linear"] = "relu"  # of the hidden layer
    kept: Annotated[tuple[NonNegativeInt, ...], Field(strict=False, min_length=1)]  # every k
    border: NonNegativeInt = 0  # pixels cut off on every side
    masks: PositiveInt  # random orders of the weights
    epsilons: Annotated[tuple[Fraction01, ...], Field(strict=False, min_length=1)]  # allowed errors
    steps: PositiveInt
    learning_rate: PositiveNumber

    @model_validator(mode="after")
    def kept_rises(self) -> Self:
        """The least k is the first that suffices."""
        if any(a >= b for a, b in pairwise(self.kept)):
            raise ValueError(f"`kept` must rise from count to count, not {list(self.kept)}")
        return self


def outline(config: Config) -> Outline:
    """The names of its rows.

    memorised_accuracy  training accuracy with so many weights kept (level)
    weights_needed  the least number of weights whose training accuracy is 1 - epsilon (level)
    reached_share  the share of the masks for which one of the grid sufficed
    extra_weights  weights needed for the attacked set less those for the clean one, mask by
        mask
    """
    sets = {"input": ("clean", *config.attacks)}
    needed = {"quantity": ("weights_needed", "reached_share"), "level": config.epsilons}
    return [
        {"quantity": ("memorised_accuracy",), "level": config.kept, **sets},
        needed | sets,
        {"quantity": ("extra_weights",), "level": config.epsilons, "input": config.attacks},
    ]


def learn(task: Task, *, config: Config, generator: Generator) -> Iterator[Measurement]:
    """Train masked networks, and yield means over the masks with Student's interval.

    Per set: ``memorised_accuracy`` (level: k); ``weights_needed`` (level: epsilon), nan unless
    every mask reaches 1 - epsilon; ``reached_share`` of the masks that do, with Wilson's interval.
    Then per attack ``extra_weights`` (epsilon): needed beyond the clean images', mask by mask.
    Raises UserError if the network has fewer weights than ``kept`` asks for, or ``border`` leaves
    none.
    """
    initial = _start(task, config, generator)
    needed = {}
    for name, (images, labels) in task.sets.items():
        x = _pixels(images, config.border)
        misclassified = [
            memorise(
                untrained(initial, k),
                x,
                labels,
                relu=config.activation == "relu",
                steps=config.steps,
                learning_rate=config.learning_rate,
            )
            for k in config.kept
        ]
        errors = torch.stack(misclassified, 1).cpu().numpy() / len(labels)  # (masks, k)
        needed[name] = {e: weights_needed(errors, config.kept, e) for e in config.epsilons}
        fields: dict[str, Any] = {"input": name, "n": len(labels)}
        for k, error in zip(config.kept, errors.T, strict=True):
            yield _mask_mean("memorised_accuracy", k, 1 - error)._replace(**fields)
        for epsilon, counts in needed[name].items():
            yield _mask_mean("weights_needed", epsilon, counts)._replace(**fields)
            yield _mask_fraction("reached_share", epsilon, ~np.isnan(counts))._replace(**fields)
        if config.kept[0] and (errors[:, 0] <= max(config.epsilons)).any():
            log.warning("%s: the least of `kept`, %d, already suffices", name, config.kept[0])
    for name, (_, labels) in task.sets.items():
        for epsilon, counts in needed[name].items():
            if name != "clean":
                extra = _mask_mean("extra_weights", epsilon, counts - needed["clean"][epsilon])
                yield extra._replace(input=name, n=len(labels))


def weights_needed(errors: np.ndarray, kept: tuple[int, ...], epsilon: float) -> np.ndarray:
    """The least k with an error of at most epsilon, (masks,); nan: no k.  errors: (masks, k)."""
    enough = errors <= epsilon
    return np.where(enough.any(1), np.array(kept, float)[enough.argmax(1)], math.nan)


def _start(task: Task, config: Config, generator: Generator) -> Start:
    features = _pixels(task.sets["clean"].images[:1], config.border).shape[1]
    if not features:
        raise UserError(f"`border` {config.border} leaves nothing of the images")
    classes = int(task.train.labels.max()) + 1
    weights = (features + classes) * config.hidden
    if config.kept[-1] > weights:
        raise UserError(f"`kept` asks for {config.kept[-1]} of {weights} weights")
    return start(features, config.hidden, classes, orders=config.masks, generator=generator)


def _pixels(images: Tensor, border: int) -> Tensor:
    """uint8 (n, c, h, w) -> (n, d) in [0, 1], without the border."""
    h, w = images.shape[2:]
    return to_float(images[..., border : h - border, border : w - border]).flatten(1)


def _mask_mean(quantity: str, level: float, values: np.ndarray) -> Measurement:
    low, high = student(values)
    return with_interval(quantity, values.mean(), low, high)._replace(level=level)


def _mask_fraction(quantity: str, level: float, hits: np.ndarray) -> Measurement:
    low, high = fraction_interval(int(hits.sum()), len(hits))
    return with_interval(quantity, hits.mean(), low, high)._replace(level=level)
