"""The file of a trained network: its weights, and all that is needed to build and attack it.

Sealed (sealed.py). The metadata hold the architecture, the inputs' shape, the number of classes and
the defence: weights alone cannot tell a ReLU network from a sigmoid one. Files of versions that
wrote no architecture are refused.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import torch
from pydantic import ConfigDict, Field, Json, PositiveInt, ValidationError
from torch import Tensor, nn

from robustinfo.core import registry
from robustinfo.core.errors import UserError, one_line
from robustinfo.core.sealed import seal, unseal
from robustinfo.core.settings import Entry, Settings

WEIGHTS, STATE = "model.", "state."  # prefixes of the tensors
ARCHITECTURE, SHAPE, CLASSES, DEFENCE = "architecture", "shape", "classes", "defence"


class Checkpoint(NamedTuple):
    """The content of the file."""

    architecture: Entry  # of models/
    shape: tuple[int, ...]  # of one input: (c, h, w), or (words, vocabulary)
    classes: int
    defence: Entry  # of defences/
    weights: dict[str, Tensor]  # as the network's state_dict names them
    state: dict[str, Tensor]  # what the defence measured before it trained
    trained_on: dict[str, str]  # the device, its instructions, the threads, torch's version


class _Metadata(Settings):
    """The metadata of a file, JSON each; of another program's file they may be anything."""

    model_config = ConfigDict(extra="allow")

    architecture: Json[Entry]
    shape: Json[Annotated[tuple[PositiveInt, ...], Field(strict=False, min_length=2)]]
    classes: Json[PositiveInt]
    defence: Json[Entry]


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write the file, whole or not at all. Raises DiskError."""
    tensors = {WEIGHTS + name: tensor for name, tensor in checkpoint.weights.items()}
    tensors |= {STATE + name: tensor for name, tensor in checkpoint.state.items()}
    about = network_metadata(checkpoint.architecture, checkpoint.shape, checkpoint.classes)
    seal(path, tensors, checkpoint.trained_on | about | {DEFENCE: json.dumps(checkpoint.defence)})


def load(path: Path) -> Checkpoint:
    """Read the file, tensors on the CPU. Raises AlteredFileError; UserError if no checkpoint."""
    tensors, about = unseal(path)
    if not any(name.startswith(WEIGHTS) for name in tensors):
        tensor_names = ", ".join(tensors) or "nothing"
        raise UserError(
            f"{path} holds {tensor_names}, and no network; name a model.safetensors or a snapshot"
        )
    if ARCHITECTURE not in about:
        raise UserError(
            f"{path} does not say its architecture, as an earlier version wrote it; run its study "
            "again (snakemake or dvc repro), which trains the network anew"
        )
    try:
        fields = _Metadata.model_validate(about)
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(
            f"{path} does not describe its network ({first['loc'][0]}: {first['msg']}); train it "
            "again, or ask who wrote the file"
        ) from None
    return Checkpoint(
        architecture=fields.architecture,
        shape=fields.shape,
        classes=fields.classes,
        defence=fields.defence,
        weights=_with_prefix(WEIGHTS, tensors),
        state=_with_prefix(STATE, tensors),
        trained_on=fields.model_extra or {},
    )


def network_metadata(architecture: Mapping, shape: Sequence[int], classes: int) -> dict[str, str]:
    """The metadata from which ``load`` builds the network."""
    fields = {ARCHITECTURE: architecture, SHAPE: shape, CLASSES: classes}
    return {key: json.dumps(value) for key, value in fields.items()}


def describe(architecture: Mapping, shape: Sequence[int], classes: int) -> str:
    """The network in words, for error messages."""
    return f"{dict(architecture)} for {' x '.join(map(str, shape))} and {classes} classes"


def build(
    architecture: Mapping, shape: Sequence[int], classes: int, device: torch.device | str = "cpu"
) -> nn.Module:
    """An untrained network of models/ on the device. Raises ValueError if it cannot be."""
    network = registry.get("models", architecture)(tuple(shape), classes)
    return network.to(device, memory_format=torch.channels_last)  # convolutions like it, CPU too


def network(checkpoint: Checkpoint, device: torch.device | str = "cpu") -> nn.Module:
    """The trained network on the device, in eval mode.

    Raises UserError if it cannot be built, or its layers are others.
    """
    about = checkpoint.architecture, checkpoint.shape, checkpoint.classes
    try:
        built = build(*about, device)
    except (RuntimeError, ValueError) as error:
        raise UserError(
            f"{describe(*about)} cannot be built ({one_line(error)[:300]}); use the version that "
            "trained it"
        ) from error
    try:
        built.load_state_dict(checkpoint.weights)
    except RuntimeError as error:
        raise UserError(
            f"{checkpoint.architecture} has other layers than when it was trained "
            f"({one_line(error)[:300]}); train it again, or use the version that did"
        ) from error
    return built.eval()


def _with_prefix(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names have the prefix, by their names without it."""
    return {n.removeprefix(prefix): one for n, one in tensors.items() if n.startswith(prefix)}
