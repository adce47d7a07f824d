"""Networks of commits that wrote no architecture are carried over, and committed as they were."""

import json
import shutil
from pathlib import Path

import pytest

from pipeline.evidence import fingerprint, legacy_checkpoints, plan, records, unit_state
from pipeline.evidence.units import Unit
from pipeline.run.contract import template
from pipeline.study.check import load
from robustinfo.core import checkpoint
from robustinfo.core.errors import UserError
from robustinfo.core.sealed import seal, unseal
from tests.checkpoints import STANDARD, TRAINED_ON, untrained
from tests.evidence.tiny import STUDY
from tests.jobs import settle

UNIT = Unit("tiny", "tiny.yaml", "tiny", "digits", "lenet5", "standard", "0", 1.0, ())
LENET5, SHAPE = {"method": "lenet5"}, (1, 28, 28)
COMMITTED = [unit for unit in plan.units() if (unit.record / "model.safetensors").exists()]


@pytest.fixture
def old(tmp_path, monkeypatch):
    """What such a commit left of a training: the network's file and a snapshot; their weights."""
    settle(tmp_path, monkeypatch)
    monkeypatch.setenv("ROBUSTINFO_DATA", str(tmp_path / "data"))
    Path("tiny.yaml").write_text(STUDY)
    weights = untrained(LENET5, SHAPE, 10).weights
    tensors = {checkpoint.WEIGHTS + name: weight for name, weight in weights.items()}
    about = TRAINED_ON | {checkpoint.DEFENCE: json.dumps(STANDARD)}
    seal(UNIT.path(template("model")), tensors, about)
    seal(UNIT.path(template("snapshots")) / "epoch_0020.safetensors", tensors, {})
    told = fingerprint.of_study(load(Path("tiny.yaml")), UNIT.names, "training", Path())
    unit_state.update(UNIT, "training", commit="c", date="2026-01-01", **told)
    return weights


def test_the_study_says_what_the_files_do_not(old):
    model, snapshots = UNIT.path(template("model")), UNIT.path(template("snapshots"))
    before = model.read_bytes()
    legacy_checkpoints.add_architecture(UNIT)
    for file in (model, snapshots / "epoch_0020.safetensors"):
        found = checkpoint.load(file)
        assert (found.architecture, found.shape, found.classes) == (LENET5, SHAPE, 10)
        assert found.defence == STANDARD and found.trained_on.items() >= TRAINED_ON.items()
        assert all(one.equal(old[name]) for name, one in found.weights.items())
    waits = records.as_trained(model)
    assert waits != model and waits.read_bytes() == before
    assert found.trained_on[records.ORIGINAL_SHA256] == records.sha256(waits)


def test_what_says_it_already_is_left_as_it_is(old):
    model = UNIT.path(template("model"))
    legacy_checkpoints.add_architecture(UNIT)
    once = model.read_bytes()
    legacy_checkpoints.add_architecture(UNIT)
    assert model.read_bytes() == once
    checkpoint.save(model, untrained(LENET5, SHAPE, 10))
    own = model.read_bytes()
    legacy_checkpoints.add_architecture(UNIT)
    assert model.read_bytes() == own and records.as_trained(model) == model


def test_a_study_that_asks_for_another_training_by_now_says_nothing_of_them(old):
    before = UNIT.path(template("model")).read_bytes()
    Path("tiny.yaml").write_text(STUDY.replace("{method: lenet5}", "{method: pytorch_cnn}"))
    with pytest.raises(UserError, match="does not say its architecture, and tiny"):
        legacy_checkpoints.add_architecture(UNIT)
    assert UNIT.path(template("model")).read_bytes() == before


def test_to_measure_again_keeps_what_was_trained(old):
    legacy_checkpoints.add_architecture(UNIT)
    unit_state.unpin(UNIT, "measuring")
    model = UNIT.path(template("model"))
    assert records.as_trained(model).exists() and checkpoint.load(model).shape == SHAPE


@pytest.mark.parametrize("unit", COMMITTED, ids=lambda unit: unit.name)
def test_every_committed_network_is_carried_over_with_its_weights(unit, tmp_path, monkeypatch):
    """The copy among the results only; the data themselves are not needed for it."""
    kept = unit.record / "model.safetensors"
    bytes_before, (tensors, _) = kept.read_bytes(), unseal(kept)
    shape = {"mnist": SHAPE, "cifar10": (3, 32, 32)}[unit.dataset]
    manifest = {"classes": [*"0123456789"], "splits": {"train": {"shape": [*shape]}}}
    monkeypatch.setattr(legacy_checkpoints, "prepare", lambda *_: manifest)
    monkeypatch.setattr("pipeline.evidence.units.HOME", tmp_path)
    model = unit.path(template("model"))
    model.parent.mkdir(parents=True)
    shutil.copyfile(kept, model)
    legacy_checkpoints.add_architecture(unit)
    found = checkpoint.load(model)
    network = checkpoint.network(found)
    models = {"mnist": LENET5, "cifar10": {"method": "all_cnn", "filters": [24, 48]}}
    assert found.architecture == models[unit.dataset] and not network.training
    assert tensors.keys() == {
        *(checkpoint.WEIGHTS + name for name in network.state_dict()),
        *(checkpoint.STATE + name for name in found.state),
    }
    assert all(one.equal(tensors[checkpoint.WEIGHTS + n]) for n, one in found.weights.items())
    assert kept.read_bytes() == bytes_before == records.as_trained(model).read_bytes()
