"""A checkpoint says all that is needed to build and attack its network, and is read once."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from pipeline.results import sealed_text
from pipeline.run import load, resuming
from pipeline.run.job import File, Job
from robustinfo.core import checkpoint, registry
from robustinfo.core.errors import UserError
from robustinfo.core.files import AlteredFileError
from robustinfo.core.sealed import seal
from tests.checkpoints import TRAINED_ON, read_tensors, saved, untrained
from tests.staged import staged

LENET5 = {"method": "lenet5"}
SMALL = {
    "all_cnn": {"filters": [2, 4]},
    "bottleneck": {"network": LENET5, "size": 4, "samples": 2},
    "densenet": {"blocks": [2, 2], "growth": 2},
    "ensemble": {"network": LENET5, "members": 2},
    "keras_cnn": {"blocks": [[2, 4]], "dense": [8]},
    "resnet18": {"width": 2},
    "smoothed": {"network": LENET5, "sigma": 0.25},
    "text_classifier": {"embedding_size": 4, "filters": 4},
    "vgg16": {"width": 2, "hidden": 8},
    "wide_resnet": {"depth": 10, "width": 1},
}
ENTROPIC = {"method": "entropic", "loss": {"method": "cross_entropy"}, "weight": 0.1, "factor": 1.7}


@pytest.mark.parametrize("method", registry.names("models"))
def test_what_is_loaded_is_what_was_saved_bit_for_bit(method, tmp_path):
    entry, file = {"method": method} | SMALL.get(method, {}), tmp_path / "model.safetensors"
    reads_texts = registry.reads("models", entry) == "texts"
    shape = (9, 40) if reads_texts else (3, 32, 32)
    state = {"flow": torch.tensor([0.1, float("nan"), -0.0], dtype=torch.float64)}
    before = untrained(entry, shape, 4, ENTROPIC, state)
    checkpoint.save(file, before)
    content = file.read_bytes()
    after = checkpoint.load(file)
    told = ("architecture", "shape", "classes", "defence", "trained_on")
    assert all(getattr(after, name) == getattr(before, name) for name in told)
    assert after.weights.keys() == before.weights.keys() and after.state.keys() == {"flow"}
    for name, one in (before.weights | before.state).items():
        other = (after.weights | after.state)[name]
        assert (other.dtype, other.shape) == (one.dtype, one.shape)
        assert other.numpy().tobytes() == one.contiguous().numpy().tobytes()
    x = torch.randint(40, (3, 9)) if reads_texts else torch.rand(3, *shape)
    answers = []
    for one in (before, after):
        network = checkpoint.network(one)
        torch.manual_seed(0)  # of a bottleneck's samples
        answers.append(network(x))
    assert answers[0].equal(answers[1])
    checkpoint.save(file, after)
    assert file.read_bytes() == content


def test_an_altered_byte_is_refused(tmp_path):
    file = tmp_path / "model.safetensors"
    saved(file, LENET5, (1, 28, 28), 10)
    content = bytearray(file.read_bytes())
    place = content.index(b"lenet5")  # of its description: another method of as many letters
    content[place : place + 6] = b"lenet6"
    file.write_bytes(content)
    with pytest.raises(AlteredFileError, match="its sha256 does not match"):
        checkpoint.load(file)


def test_a_file_that_does_not_say_its_architecture_is_refused_in_one_sentence(tmp_path):
    file = tmp_path / "model.safetensors"
    seal(file, {"model.weight": torch.zeros(2)}, TRAINED_ON | {"defence": json.dumps(ENTROPIC)})
    with pytest.raises(UserError) as error:
        checkpoint.load(file)
    assert str(error.value) == (
        f"{file} does not say its architecture, as an earlier version wrote "
        "it; run its study again (snakemake or dvc repro), which trains the network anew"
    )


def test_a_file_without_a_network_says_what_it_holds(tmp_path):
    for tensors, held in (({}, "nothing"), ({"x_adv": torch.zeros(2)}, "x_adv")):
        seal(tmp_path / "other.safetensors", tensors, {})
        with pytest.raises(UserError, match=f"holds {held}, and no network"):
            checkpoint.load(tmp_path / "other.safetensors")


def test_two_entries_are_the_same_however_they_are_written():
    def same(one, other):
        return registry.same_settings("models", one, other)

    assert same(LENET5, LENET5 | {"activation": "relu"})  # the default
    assert not same(LENET5, LENET5 | {"activation": "sigmoid"})
    assert not same(LENET5, {"method": "pytorch_cnn"})
    assert not same(LENET5 | {"gone": 1}, LENET5)  # a number that the method no longer has


@pytest.fixture
def job(tmp_path, monkeypatch):
    """A job of LeNet-5 on ten classes of 28 x 28."""
    monkeypatch.chdir(tmp_path)
    manifest = {"classes": [*"0123456789"], "splits": {"train": {"shape": [1, 28, 28]}}}
    sealed_text.write_json(Path("data.json"), manifest)
    reads = {name: [File(Path(name), {})] for name in ("data.json", "model.safetensors")}
    reads = {role.partition(".")[0]: files for role, files in reads.items()}
    job = Job("attack", "s", {}, {"model": LENET5}, reads, {}, str)
    job.device = torch.device("cpu")
    return job


def test_a_job_takes_the_network_that_its_study_names(job):
    file = job.file("model")
    network = saved(file, LENET5 | {"activation": "relu"}, (1, 28, 28), 10)
    x = torch.rand(2, 1, 28, 28)
    assert load.trained(job, file)(x).equal(network(x)) and not load.trained(job, file).training
    assert load.trained_checkpoint(job, file).trained_on == TRAINED_ON


def test_a_training_that_starts_from_another_network_is_another_training(job):
    file = job.file("model")
    saved(file, LENET5, (1, 28, 28), 10)
    found = [resuming.identity(job), resuming.identity(job)]
    saved(file, LENET5, (1, 28, 28), 10, change=lambda network: network.fc1.bias.data.add_(1e-6))
    assert found[0] == found[1] != resuming.identity(job)


@pytest.mark.parametrize(
    ("entry", "shape", "classes"),
    [
        (LENET5 | {"activation": "sigmoid"}, (1, 28, 28), 10),  # its weights would fit
        (LENET5, (1, 32, 32), 10),
        (LENET5, (1, 28, 28), 9),
    ],
)
def test_a_network_of_another_architecture_or_other_data_is_refused(job, entry, shape, classes):
    file = job.file("model")
    saved(file, entry, shape, classes)
    own = checkpoint.describe(entry, shape, classes)
    with pytest.raises(UserError) as error:
        load.trained(job, file)
    assert str(error.value) == (
        f"{file} holds {own}, and the study asks for {{'method': 'lenet5'}} for 1 x 28 x 28 and 10 "
        "classes; delete it and run again, which trains it anew"
    )


STUDY = """
name: tiny
seeds: [0]
settings: [{dataset: digits, model: lenet5}]
datasets: {digits: {method: digits}}
models: {lenet5: {method: lenet5}}
training_images: 200
defences:
  plain: {method: standard, loss: {method: cross_entropy}}
  entropic: {method: entropic, loss: {method: cross_entropy}, weight: 0.1, factor: 1.7}
pretrain: {plain: &one {epochs: 1, batch_size: 50, learning_rate: 0.01, snapshot_every: 1}}
retrain_from: plain
retrain: {entropic: *one}
evaluation_images: 20
attacks: {adaptive: {method: adaptive, epsilon: 0.1, step_size: 0.1, steps: 1}}
detection: {fgsm: {method: fgsm, sweep: {epsilon: [0.0, 0.1, 0.3]}}}
measures: {activation_entropy: {method: activation_entropy}}
complexities: {png: {method: png_size}}
diagnostics: {curve: {method: attack_accuracy, steps: 1, sweep: {epsilon: [0.0, 1.0]}}}
verdict: {twin: plain}
"""
NAMES = {"dataset": "digits", "model": "lenet5", "seed": "0"}
JOBS = {
    "retrain": {},
    "attack": {"attack": "adaptive"},
    "detect": {"detection": "fgsm"},
    "diagnose": {},
    "measure": {},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The files that each job of the study read, and how often; the folder of its run."""
    with staged(tmp_path_factory.mktemp("once"), STUDY) as (_, perform):
        perform("prepare", dataset="digits")
        perform("pretrain", **NAMES, defence="plain")
        found = {}
        for stage, names in JOBS.items():
            with read_tensors() as times:
                perform(stage, **NAMES, defence="entropic", **names)
            found[stage] = times
        yield SimpleNamespace(reads=found, folder=Path("results/tiny/digits/lenet5/entropic/0"))


@pytest.mark.parametrize("stage", JOBS)
def test_a_job_reads_every_tensor_of_a_checkpoint_once(run, stage):
    networks = {
        read: times for read, times in run.reads[stage].items() if "/attacks/" not in read[0]
    }
    assert set(networks.values()) == {1}
    assert len({file for file, _ in networks}) == (2 if stage == "measure" else 1)  # snapshots


def test_a_snapshot_says_what_a_checkpoint_says(run):
    last, first = (
        checkpoint.load(run.folder / name)
        for name in ("model.safetensors", "snapshots/epoch_0000.safetensors")
    )
    assert first._replace(weights={}) == last._replace(weights={})
    assert last.defence == ENTROPIC and last.state.keys() == {"pretrained_flow"}
    assert (last.architecture, last.shape, last.classes) == (LENET5, (1, 28, 28), 10)
    assert not first.weights["fc1.weight"].equal(last.weights["fc1.weight"])
