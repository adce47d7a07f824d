"""A network retrained on distorted images, level by level; the strongest level that costs little.

"One Bit Matters", arXiv 1810.09650, figure 5 and section 5: networks trained at a JPEG quality and
tested at it, and its recommended operating point, "the highest quantization at limited loss in
accuracy". Every level starts from the run's own weights and draws the same random numbers.

Figure 5 also has a "shadow curve", "the properly scaled version of the theoretical curve in
Friedland et al. (2018)", arXiv 1807.10569. It is not computed here: the paper prints neither that
curve's formula nor what it was scaled by, and only the cited paper could say the first.
"""

import math
from collections.abc import Iterator
from copy import deepcopy

import torch
from pydantic import field_validator
from torch import Generator

from robustinfo.core import registry
from robustinfo.core.batches import accuracy, batches, to_float
from robustinfo.core.measurement import Measurement
from robustinfo.core.settings import Entry, Outline, Settings
from robustinfo.distortions.eight_bit import to_bytes
from robustinfo.learning._fit import fit
from robustinfo.learning._task import Task
from robustinfo.training import loop
from robustinfo.training.loop import Images

AT_ONCE = 1000  # images that are distorted together
ALLOWED_LOSS = 0.01  # of accuracy, at the operating point


class Config(Settings):
    distortion: Entry  # of distortions/, with a ``sweep`` from the strongest level to the weakest
    training: loop.Config

    @field_validator("distortion")
    @classmethod
    def it_has_levels(cls, entry: Entry) -> Entry:
        """One network is retrained for each."""
        if "sweep" not in entry:
            raise ValueError("the distortion needs a `sweep`, from the strongest level on")
        return entry


def outline(config: Config) -> Outline:
    """The names of its rows.

    accuracy  of the network retrained at a level, on test images distorted alike
    accuracy_undistorted  of the same retraining on images as they are
    operating_point  the first level whose accuracy is within ALLOWED_LOSS of that
    """
    levels = tuple(level for level, _ in registry.sweep(config.distortion))
    return [
        {"quantity": ("accuracy_undistorted", "operating_point")},
        {"quantity": ("accuracy",), "level": levels},
    ]


def learn(task: Task, *, config: Config, generator: Generator) -> Iterator[Measurement]:
    """``accuracy`` at every level, of the network retrained at it on test images distorted alike.

    ``accuracy_undistorted`` is that of the same retraining on images as they are, the control.
    ``operating_point`` is the first level in the order of the sweep whose accuracy is within
    ALLOWED_LOSS of it; nan if there is none.
    """
    state, n, point = generator.get_state(), len(task.test.labels), math.nan
    control = deepcopy(task.model)
    fit(control, task.train, config=config.training, generator=generator)
    undistorted = accuracy(control, to_float(task.test.images), task.test.labels)
    yield Measurement("accuracy_undistorted", undistorted, "fraction", n)
    for level, entry in registry.sweep(config.distortion):
        generator.set_state(state)
        train, test = (_distorted(images, entry, generator) for images in (task.train, task.test))
        model = deepcopy(task.model)
        fit(model, train, config=config.training, generator=generator)
        value = accuracy(model, to_float(test.images), test.labels)
        yield Measurement("accuracy", value, "fraction", n, level=level)
        if math.isnan(point) and value >= undistorted - ALLOWED_LOSS:
            point = math.nan if level is None else level
    yield Measurement("operating_point", point)


def _distorted(images: Images, entry: Entry, generator: Generator) -> Images:
    """The distorted images, rounded to 8 bits."""
    distort = registry.get("distortions", entry)
    parts = [
        to_bytes(distort(x, generator=generator))
        for x, _ in batches(*images, AT_ONCE, images.images.device)
    ]
    return Images(torch.cat(parts), images.labels)
