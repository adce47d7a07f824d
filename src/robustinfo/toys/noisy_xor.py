"""XOR in the plane, once its points are moved by a little noise: two lines no longer separate it.

"One Bit Matters", arXiv 1810.09650, figure 2a. Points are drawn uniformly from [-1, 1]^2 and
labelled by whether their coordinates have the same sign; the two axes separate the classes. Then
every point is moved by uniform noise of up to ``noise`` in each coordinate and keeps its label.

The best accuracy of two lines is exact: every way in which a line can cut the points is a line
through two of them, with each of the two on either side; every pair of such cuts is tried, and each
of its four regions takes the label of its majority. (The paper draws a picture and prints no
number; whether it moved all points or some is not said.)
"""

from collections.abc import Iterator
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Generator

from robustinfo.core.measurement import Measurement, exact
from robustinfo.core.settings import Number, Outline, Settings


class Config(Settings):
    points: Annotated[int, Field(ge=4, le=64)] = 64  # one bit of a machine word each
    # levels: the largest move of a coordinate
    noise: Annotated[tuple[Number, ...], Field(strict=False)] = (0.0, 0.05, 0.1, 0.2)


def outline(config: Config) -> Outline:
    """The names of its rows.

    two_line_accuracy  the most points that two lines classify correctly, as a share
    """
    return [{"quantity": ("two_line_accuracy",), "level": config.noise}]


def compute(*, config: Config, generator: Generator) -> Iterator[Measurement]:
    """``two_line_accuracy`` at every level of noise, for the same points and directions."""
    points = 2 * torch.rand(config.points, 2, generator=generator, dtype=torch.float64) - 1
    same = (points[:, 0] * points[:, 1] > 0).numpy()
    moves = 2 * torch.rand(config.points, 2, generator=generator, dtype=torch.float64) - 1
    for noise in config.noise:
        value = two_line_accuracy((points + noise * moves).numpy(), same)
        yield exact("two_line_accuracy", value, config.points)._replace(level=noise)


def two_line_accuracy(points: np.ndarray, labels: np.ndarray) -> float:
    """The greatest share of points that two lines and a label per region get right.

    points: (n, 2), n <= 64, no three on a line.  labels: (n,) bool.
    """
    cuts, n = line_cuts(points), len(points)
    every = _word(np.ones(n, dtype=bool))
    positive = _word(labels)
    best = 0
    for one in cuts:
        regions = (one & cuts, one & ~cuts & every, ~one & cuts & every, ~one & ~cuts & every)
        correct = np.zeros(len(cuts), dtype=np.int64)
        for region in regions:
            size = np.bitwise_count(region).astype(np.int64)
            positives = np.bitwise_count(region & positive).astype(np.int64)
            correct += np.maximum(positives, size - positives)
        best = max(best, int(correct.max()))
    return best / n


def line_cuts(points: np.ndarray) -> np.ndarray:
    """Every set of points on one side of a line, as the bits of a word: (m,) uint64, distinct.

    A set and its complement are the same cut; only the one without the first point is kept.
    """
    n, cuts = len(points), [np.uint64(0)]
    for i in range(n):
        for j in range(i + 1, n):
            along = points[j] - points[i]
            offset = points - points[i]
            left = along[0] * offset[:, 1] - along[1] * offset[:, 0] > 0
            for on_left in ((False, False), (False, True), (True, False), (True, True)):
                left[[i, j]] = on_left
                cuts.append(_word(left ^ left[0]))
    return np.unique(np.array(cuts, dtype=np.uint64))


def _word(members: np.ndarray) -> np.uint64:
    return np.uint64((members.astype(np.uint64) << np.arange(len(members), dtype=np.uint64)).sum())
