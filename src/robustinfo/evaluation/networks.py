"""The network of a program, whatever it is given as, on the device and checked."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from robustinfo.core.errors import UserError
from robustinfo.evaluation import sources
from robustinfo.evaluation.images import LabelledImages
from robustinfo.evaluation.labelled import with_classes
from robustinfo.evaluation.sources._columns import output_classes
from robustinfo.evaluation.sources._guarded import Guarded

Model = nn.Module | Callable | str | Path
Numbers = float | Sequence[float]


def in_its_classes(model: Model, data: LabelledImages, *, more: int = 0) -> LabelledImages:
    """The images in as many classes as the network has logits; a named network is not asked.

    more: logits that are none of a class.
    """
    if isinstance(model, str | Path):
        return data
    columns = output_classes(model, tuple(data.images.shape[1:]), len(data.classes))
    if not more and columns == int(data.labels.max()) + 2 > 3:
        raise UserError(
            f"the network gives {columns} logits, and labels go to {columns - 2}; if the last "
            "logit says that it abstains, give abstain='robust' or 'error'; if it is a class, "
            f"classes={columns}"
        )
    return with_classes(data, columns - more)


def network_of(
    model: Model,
    data: LabelledImages,
    device: torch.device,
    *,
    mean: Numbers | None = None,
    std: Numbers | None = None,
    more: int = 0,
    name: str = "network",
    build: str | None = None,
    build_args: Mapping[str, Any] | None = None,
) -> Guarded:
    """The network on the device, checked. more: logits than the data has classes.

    build, build_args: as in ``sources.model``, of a network that is named.
    """
    about: dict[str, Any] = {"shape": tuple(data.images.shape[1:]), "device": device}
    about |= {"classes": len(data.classes) + more, "mean": mean, "std": std}
    if isinstance(model, str | Path):
        return sources.model(str(model), build=build, build_args=build_args, **about)
    return sources.in_memory(model, name=name, **about)


def options_of_twin(twin: Model, model: Model, about: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of a network, as far as it is of its twin, too (sources.options_of_twin)."""
    if isinstance(twin, str | Path) and isinstance(model, str | Path):
        return sources.options_of_twin(str(twin), str(model), about)
    return {name: about[name] for name in ("mean", "std")}
