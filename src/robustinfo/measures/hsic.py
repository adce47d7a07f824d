"""Plain HSIC(Y, T), and HSIC(X, T) where the inputs are given.

Gretton et al. (2005) and, unbiased, Song et al. (2012, JMLR 13); formulas in ``maths/hsic.py``.
Gaussian kernels, a linear one for the labels. Their bandwidth is the median distance of each batch
(Gretton et al. 2007), which makes T and a T + b the same.

The unbiased form is 0 in the mean for independent samples, and below 0 half of the time. The biased
one is above 0; beside it stands ``_chance``, its exact mean over all permutations of the samples.
Values are the mean over batches of ``batch_size``. A layer that holds a value that is not finite
has nan.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from robustinfo.core.measurement import Measurement
from robustinfo.core.settings import Outline, Settings
from robustinfo.maths.hsic import biased, chance, unbiased
from robustinfo.maths.kernels import centred, gaussian, median_sigma, same_label
from robustinfo.measures._shared import equal_batches

POINTS = "probes"
SEES_INPUTS = True  # x is handed on


class Config(Settings):
    # unbiased: 0 in the mean without dependence; biased: never below 0
    estimator: Literal["unbiased", "biased"] = "unbiased"
    batch_size: int = Field(100, gt=3)  # samples of an estimate, whose mean is told


def outline(config: Config) -> Outline:
    """The names of its rows.

    hsic_input  HSIC(X, T): how far the layer depends on the input; 0: not at all
    hsic_label  HSIC(Y, T): how far the layer depends on the label
    hsic_input_chance, hsic_label_chance  the mean of the biased value over all permutations of
        the samples
    """
    values = ("hsic_input", "hsic_label")
    chances = ("hsic_input_chance", "hsic_label_chance") if config.estimator == "biased" else ()
    return [{"quantity": values + chances}]


@torch.no_grad()
def estimate(t: Tensor, y: Tensor, *, config: Config, x: Tensor | None = None) -> list[Measurement]:
    """Means over batches.  t: (n, d) activations.  y: (n,) labels.  x: (n, ...) inputs, or None.

    Raises ValueError if n is less than a batch; what is left over of the last one is not used.
    """
    sides = {"label": y} if x is None else {"input": x.flatten(1), "label": y}
    batches: dict[str, list[Tensor]] = {}
    for part, *others in equal_batches(config.batch_size, t, *sides.values()):
        of_t = _kernel(part)
        for name, other in zip(sides, others, strict=True):
            of_other = same_label(other) if name == "label" else _kernel(other)
            pair = (of_t.double(), of_other.double())
            if config.estimator == "unbiased":
                batches.setdefault(f"hsic_{name}", []).append(unbiased(*pair))
                continue
            pair = (centred(pair[0]), centred(pair[1]))
            batches.setdefault(f"hsic_{name}", []).append(biased(*pair))
            by_chance = chance(*pair) / (len(part) - 1) ** 2
            batches.setdefault(f"hsic_{name}_chance", []).append(by_chance)
    return [Measurement(name, torch.stack(v).mean().item()) for name, v in batches.items()]


def _kernel(t: Tensor) -> Tensor:
    return gaussian(t, median_sigma(t))
