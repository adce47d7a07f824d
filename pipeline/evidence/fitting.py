"""Whether a network that was trained elsewhere can be the one that a unit asks for.

Its files say so of the defence, the architecture (earlier commits: the shapes of all weights), the
epochs and, where their folder is named as results are, the seed. Of data, optimizer and rate they
say nothing.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from pipeline.evidence import carried, steps
from pipeline.evidence.units import Unit
from robustinfo.core import checkpoint, registry
from robustinfo.core.checkpoint import ARCHITECTURE, DEFENCE, WEIGHTS
from robustinfo.core.errors import UserError
from robustinfo.core.sealed import unseal

Shapes = dict[str, tuple[int, ...]]


def check(study: dict[str, Any], unit: Unit, folder: Path, history: list[dict[str, str]]) -> None:
    """Raises UserError for the first file that is of something else. history: rows of the run."""
    asked = steps.asked(study, unit.names)
    if (seed := folder.resolve().name).isdecimal() and seed != unit.seed:
        raise UserError(f"{folder} is of the seed {seed}, not of {unit.seed} as {unit.name}")
    _check_defence(asked["defence"], unit, folder)
    _check_epochs(study, asked["training"]["epochs"], unit, folder, history)
    network = carried.network_of(study, unit)
    shapes = _shapes(network)
    for file in (folder / "model.safetensors", *sorted((folder / "snapshots").iterdir())):
        tensors, about = unseal(file)
        _check_architecture(network["architecture"], about, unit, file)
        found = {
            name.removeprefix(WEIGHTS): (*tensor.shape,)
            for name, tensor in tensors.items()
            if name.startswith(WEIGHTS)
        }
        for name, one, other in _other(found, shapes):
            raise UserError(
                f"{file} has {name} {one or 'nowhere'}; the network of {unit.study_file} has it "
                f"{other or 'nowhere'}"
            )


def _check_defence(asked: dict[str, Any], unit: Unit, folder: Path) -> None:
    entry = json.loads(unseal(folder / "model.safetensors")[1][DEFENCE])
    if not registry.same_settings("defences", entry, asked):
        raise UserError(
            f"{folder} is of the defence {entry}, not of {asked} as {unit.study_file} asks"
        )


def _check_architecture(
    asked: dict[str, Any], about: dict[str, str], unit: Unit, file: Path
) -> None:
    """Files of earlier versions say none."""
    entry = json.loads(about.get(ARCHITECTURE, "null"))
    if entry and not registry.same_settings("models", entry, asked):
        raise UserError(
            f"{file} is of the network {entry}, not of {asked} as {unit.study_file} asks"
        )


def _check_epochs(
    study: dict[str, Any], last: int, unit: Unit, folder: Path, history: list[dict[str, str]]
) -> None:
    there = sorted(
        int(f.stem.removeprefix("epoch_")) for f in (folder / "snapshots").glob("epoch_*")
    )
    if there != (epochs := steps.snapshots(study, unit.names)):
        raise UserError(
            f"{folder}/snapshots has the epochs {there}; {unit.study_file} asks for {epochs}"
        )
    told = {int(float(row["epoch"])) for row in history} - {0}
    if told != {*range(1, last + 1)}:
        raise UserError(
            f"{folder}/history.csv has {len(told)} epochs, the last {max(told, default=0)}; "
            f"{unit.study_file} asks for {last}"
        )


def _shapes(network: dict[str, Any]) -> Shapes:
    """Of the weights of the study's network, by their names."""
    with torch.device("meta"):
        built = checkpoint.build(**network, device="meta")
    return {name: (*weight.shape,) for name, weight in built.state_dict().items()}


def _other(found: Shapes, asked: Shapes) -> Iterator[tuple[str, Any, Any]]:
    for name in sorted(found.keys() | asked.keys()):
        if found.get(name) != asked.get(name):
            yield name, found.get(name), asked.get(name)
