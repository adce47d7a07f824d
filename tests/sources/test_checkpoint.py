"""A checkpoint of the pipeline's own, read without its study."""

import json

import pytest
import torch
from safetensors.torch import save_file

from robustinfo.core import registry
from robustinfo.core.errors import Fault
from robustinfo.core.sealed import STATE, WEIGHTS, seal
from robustinfo.judge.defended import attack_term
from robustinfo.judge.sources import model
from robustinfo.models._mask import MASK

SHAPE, ENTRY = (1, 16, 16), {"method": "lenet5", "activation": "sigmoid"}
YAML = "{method: lenet5, activation: sigmoid}"


def stored(file, entry, shape=SHAPE, classes=7, change=lambda network: None):
    """A checkpoint as pipeline/stages/train.py writes it."""
    torch.manual_seed(1)
    network = registry.get("models", entry)(shape, classes).eval()
    change(network)
    tensors = {WEIGHTS + name: tensor for name, tensor in network.state_dict().items()}
    tensors[STATE + "pretrained_flow"] = torch.zeros(1)
    seal(file, tensors, {"defence": json.dumps({"method": "entropic"}), "device": "cpu"})
    return network


@pytest.fixture
def file(tmp_path):
    stored(tmp_path / "model.safetensors", ENTRY)
    return tmp_path / "model.safetensors"


def load(file, architecture=YAML, shape=SHAPE, classes=7):
    return model(str(file), shape=shape, classes=classes, architecture=architecture)


@pytest.mark.parametrize("architecture", [YAML, ENTRY, json.dumps(ENTRY)])
def test_it_answers_as_the_network_that_was_stored(tmp_path, architecture):
    network = stored(tmp_path / "model.safetensors", ENTRY)
    x = torch.rand(4, *SHAPE)
    assert load(tmp_path / "model.safetensors", architecture)(x).equal(network(x))


def test_a_mask_that_a_defence_cut_is_cut_again(tmp_path):
    def cut(network):
        network.get_submodule(MASK).passes[::2] = 0

    entry, shape = {"method": "resnet18", "width": 2}, (3, 16, 16)
    network = stored(tmp_path / "model.safetensors", entry, shape, change=cut)
    found = load(tmp_path / "model.safetensors", entry, shape)
    x = torch.rand(4, *shape)
    torch.testing.assert_close(found(x), network(x), rtol=0, atol=0)
    assert found.network.get_submodule(MASK).passes.min() == 0


def test_the_architecture_is_asked_for_with_an_example_and_the_choices(file):
    with pytest.raises(
        Fault, match=r"add it .*--architecture '\{method: lenet5\}'; models/ has .*vgg16"
    ):
        load(file, None)


@pytest.mark.parametrize(
    "architecture, words",
    [
        ("lenet5", None),  # the weights of both activations are the same; nothing tells them apart
        ("lenet", "no method 'lenet'; models/ has .*lenet5"),
        ("{method: lenet5, activation: tanh}", "activation.*'relu' or 'sigmoid'"),
        ("{method: lenet5, width: 2}", "width: Extra inputs.*numbers of lenet5 are: activation"),
        ("{method: lenet5", "is not YAML"),
        ("[lenet5]", "is no entry of models/"),
        ("pytorch_cnn", "holds no {'method': 'pytorch_cnn'} for images of 1 x 16 x 16"),
    ],
)
def test_another_architecture_is_refused_with_what_is_wrong(file, architecture, words):
    if words is None:
        load(file, architecture)
    else:
        with pytest.raises(Fault, match=words):
            load(file, architecture)


@pytest.mark.parametrize("other", [{"classes": 10}, {"shape": (3, 16, 16)}, {"shape": (1, 28, 28)}])
def test_weights_for_other_images_or_classes_are_refused(file, other):
    with pytest.raises(Fault, match=r"holds no .* size mismatch.*data of its study"):
        load(file, **other)


def test_an_altered_byte_is_noticed(file):
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)
    with pytest.raises(Fault, match="sha256 does not match"):
        load(file)


def test_a_file_that_is_cut_is_named(file):
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(Fault, match=r"model\.safetensors cannot be read"):
        load(file)


def test_a_file_of_another_program_is_told_from_an_altered_one(tmp_path):
    save_file({"weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(Fault, match=r"not written by robustinfo; write a function"):
        load(tmp_path / "other.safetensors")


def test_a_sealed_file_without_a_network_says_what_it_holds(tmp_path):
    seal(tmp_path / "pgd.safetensors", {"x_adv": torch.zeros(2), "success": torch.ones(2)}, {})
    with pytest.raises(Fault, match=r"holds success, x_adv, and no network|holds x_adv, success"):
        load(tmp_path / "pgd.safetensors")


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(Fault, match=r"nowhere\.safetensors: no such file"):
        load(tmp_path / "nowhere.safetensors")


def test_of_a_snapshot_no_adaptive_attack_can_be_made_which_is_an_error(tmp_path):
    file = tmp_path / "epoch_0001.safetensors"
    network = stored(file, ENTRY)
    seal(file, {WEIGHTS + name: one for name, one in network.state_dict().items()}, {})
    with pytest.raises(Fault, match=r"a snapshot.*judge the model\.safetensors of its run"):
        attack_term(file, network)
