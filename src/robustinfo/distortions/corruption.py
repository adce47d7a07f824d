"""A common corruption at one of five severities, with the numbers that were published.

Hendrycks and Dietterich (2019), arXiv 1903.12261: their fifteen corruptions without frost, which
needs photographs, and two of the additional set. Each is a distortion of its own, too; which
numbers a severity stands for depends on the size of the images (_severities.py).
"""

from typing import Annotated

import torch
from pydantic import AfterValidator, Field
from torch import Tensor

from robustinfo.core import registry
from robustinfo.core.settings import Settings
from robustinfo.distortions._severities import ALL, SEVERITIES, entry


def _known(name: str) -> str:
    if name not in ALL:
        raise ValueError(f"no corruption {name!r}; choose from {', '.join(ALL)}")
    return name


Corruption = Annotated[str, AfterValidator(_known)]
Severity = Annotated[int, Field(ge=SEVERITIES[0], le=SEVERITIES[-1])]


class Config(Settings):
    name: Corruption  # which one
    severity: Severity  # 1, the mildest, to 5


def distort(x: Tensor, *, config: Config, generator: torch.Generator) -> Tensor:
    """The distorted images, like x, in [0, 1].  x: (n, c, h, w) in [0, 1]."""
    params = entry(config.name, config.severity, min(x.shape[2:]))
    corrupted: Tensor = registry.get("distortions", params)(x, generator=generator)
    return corrupted
