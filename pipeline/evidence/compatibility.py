"""Check of a network that was trained elsewhere against the unit that adopts it.

Its files show the defence, the architecture and the shapes of all weights, the epochs and, if their
folder is named like results, the seed; not data, optimizer and learning rate.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from pipeline.evidence import steps
from pipeline.evidence.units import Unit
from robustinfo.core import checkpoint, registry
from robustinfo.core.checkpoint import ARCHITECTURE, DEFENCE, WEIGHTS
from robustinfo.core.errors import UserError
from robustinfo.core.sealed import unseal
from robustinfo.datasets._prepared import data_root, prepare

Shapes = dict[str, tuple[int, ...]]


def check(study: dict[str, Any], unit: Unit, folder: Path, history: list[dict[str, str]]) -> None:
    """Raise UserError for the first file that does not fit. history: rows of the run."""
    params = steps.training_params(study, unit.names)
    if (seed := folder.resolve().name).isdecimal() and seed != unit.seed:
        raise UserError(f"{folder} is of the seed {seed}, not of {unit.seed} as {unit.name}")
    _check_defence(params["defence"], unit, folder)
    _check_epochs(study, params["training"]["epochs"], unit, folder, history)
    network = _network_spec(study, unit)
    shapes = _shapes(network)
    for file in (folder / "model.safetensors", *sorted((folder / "snapshots").iterdir())):
        tensors, metadata = unseal(file)
        _check_architecture(network["architecture"], metadata, unit, file)
        shapes_found = {
            name.removeprefix(WEIGHTS): (*tensor.shape,)
            for name, tensor in tensors.items()
            if name.startswith(WEIGHTS)
        }
        for name, found, expected in _differences(shapes_found, shapes):
            raise UserError(
                f"{file} has {name} {found or 'nowhere'}; the network of {unit.study_file} has it "
                f"{expected or 'nowhere'}"
            )


def _check_defence(expected: dict[str, Any], unit: Unit, folder: Path) -> None:
    entry = json.loads(unseal(folder / "model.safetensors")[1][DEFENCE])
    if not registry.same_settings("defences", entry, expected):
        raise UserError(
            f"{folder} is of the defence {entry}, not of {expected} as {unit.study_file} asks"
        )


def _check_architecture(
    expected: dict[str, Any], metadata: dict[str, str], unit: Unit, file: Path
) -> None:
    if ARCHITECTURE not in metadata:
        raise UserError(
            f"{file} does not say its architecture, as an earlier version wrote it; delete the "
            f"folder, and `make evidence` trains {unit.name} in its turn"
        )
    entry = json.loads(metadata[ARCHITECTURE])
    if not registry.same_settings("models", entry, expected):
        raise UserError(
            f"{file} is of the network {entry}, not of {expected} as {unit.study_file} asks"
        )


def _check_epochs(
    study: dict[str, Any], last: int, unit: Unit, folder: Path, history: list[dict[str, str]]
) -> None:
    found = sorted(
        int(f.stem.removeprefix("epoch_")) for f in (folder / "snapshots").glob("epoch_*")
    )
    if found != (epochs := steps.snapshots(study, unit.names)):
        raise UserError(
            f"{folder}/snapshots has the epochs {found}; {unit.study_file} asks for {epochs}"
        )
    trained = {int(float(row["epoch"])) for row in history} - {0}
    if trained != {*range(1, last + 1)}:
        raise UserError(
            f"{folder}/history.csv has {len(trained)} epochs, the last {max(trained, default=0)}; "
            f"{unit.study_file} asks for {last}"
        )


def _network_spec(study: dict[str, Any], unit: Unit) -> dict[str, Any]:
    """Architecture, input shape and number of classes of the unit, by the keys of a checkpoint."""
    params = steps.training_params(study, unit.names)
    manifest = prepare(unit.dataset, params["dataset"], data_root())
    return {
        "architecture": params["model"],
        "shape": tuple(manifest["splits"]["train"]["shape"]),
        "classes": len(manifest["classes"]),
    }


def _shapes(network: dict[str, Any]) -> Shapes:
    """{weight: shape} of the study's network."""
    with torch.device("meta"):
        built = checkpoint.build(**network, device="meta")
    return {name: (*weight.shape,) for name, weight in built.state_dict().items()}


def _differences(found: Shapes, expected: Shapes) -> Iterator[tuple[str, Any, Any]]:
    for name in sorted(found.keys() | expected.keys()):
        if found.get(name) != expected.get(name):
            yield name, found.get(name), expected.get(name)
