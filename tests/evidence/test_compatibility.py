"""A network is adopted only if its files agree with the study in all that they say."""

import pytest
import torch

from pipeline.evidence import compatibility
from pipeline.evidence.units import Unit
from pipeline.study.check import load
from robustinfo.core import checkpoint
from robustinfo.core.errors import UserError
from tests.checkpoints import STANDARD, untrained
from tests.evidence.tiny import STUDY

UNIT = Unit("tiny", "tiny.yaml", "tiny", "digits", "lenet5", "standard", "0", 1.0, ())
LENET5 = {"method": "lenet5"}
HISTORY = [{"epoch": f"{epoch}.0"} for epoch in range(21)]


@pytest.fixture
def trained(tmp_path):
    """The checked study, and the folder of a run of it."""
    study, folder = tmp_path / "tiny.yaml", tmp_path / "run"
    study.write_text(STUDY)
    leave(folder / "model.safetensors")
    for epoch in (0, 10, 20):
        leave(folder / f"snapshots/epoch_{epoch:04}.safetensors")
    return load(study), folder


def leave(file, defence=STANDARD, network=LENET5, **other):
    held = untrained(network, (1, 28, 28), 10, defence, {"target": torch.ones(3)})
    checkpoint.save(file, held._replace(weights=held.weights | other))


def refused(trained, said, unit=UNIT, history=HISTORY):
    with pytest.raises(UserError, match=said):
        compatibility.check(trained[0], unit, trained[1], history)


def test_what_agrees_in_all_is_taken(trained):
    study, folder = trained
    compatibility.check(study, UNIT, folder, HISTORY)
    compatibility.check(study, UNIT, folder.rename(folder.with_name("0")), HISTORY)


def test_what_is_of_another_defence_seed_or_epoch_is_refused(trained):
    study, folder = trained
    refused(trained, "history.csv has 19 epochs, the last 19; .* asks for 20", history=HISTORY[:20])
    refused((study, folder.rename(folder.with_name("7"))), "is of the seed 7, not of 0")
    folder = folder.with_name("7").rename(folder)
    leave(folder / "snapshots/epoch_0015.safetensors")
    refused(trained, r"has the epochs \[0, 10, 15, 20\]; .* asks for \[0, 10, 20\]")
    leave(folder / "model.safetensors", {"method": "vib"})
    refused(trained, "is of the defence {'method': 'vib'}")


def test_another_architecture_is_refused_although_its_weights_have_the_same_shapes(trained):
    sigmoid = LENET5 | {"activation": "sigmoid"}
    leave(trained[1] / "snapshots/epoch_0010.safetensors", network=sigmoid)
    refused(trained, "epoch_0010.safetensors is of the network .*'sigmoid'.*, not of .*'lenet5'")


def test_weights_of_another_shape_or_name_are_refused(trained):
    _, folder = trained
    snapshot = folder / "snapshots/epoch_0010.safetensors"
    leave(snapshot, extra=torch.ones(2))
    refused(trained, r"epoch_0010.safetensors has extra \(2,\); the network .* has it nowhere")
    leave(snapshot)
    name = next(iter(untrained(LENET5, (1, 28, 28), 10).weights))
    leave(snapshot, **{name: torch.ones(2, 2)})
    refused(trained, rf"epoch_0010.safetensors has {name} \(2, 2\); the network .* has it \(\d")
