"""A checkpoint of the pipeline's own, read without its study."""

import json

import pytest
import torch

from robustinfo.core import checkpoint
from robustinfo.core.errors import UserError
from robustinfo.core.sealed import seal
from robustinfo.evaluation.sources import model
from robustinfo.models._mask import MASK
from tests.checkpoints import saved

SHAPE, ENTRY = (1, 16, 16), {"method": "lenet5", "activation": "sigmoid"}


@pytest.fixture
def file(tmp_path):
    saved(tmp_path / "model.safetensors", ENTRY, SHAPE, 7)
    return tmp_path / "model.safetensors"


def load(file, shape=SHAPE, classes=7):
    return model(str(file), shape=shape, classes=classes)


@pytest.mark.parametrize("activation", ["sigmoid", "relu"])  # whose weights are alike
def test_it_answers_as_the_network_that_was_saved(file, activation):
    network = saved(file, ENTRY | {"activation": activation}, SHAPE, 7)
    x = torch.rand(4, *SHAPE)
    torch.testing.assert_close(load(file)(x), network(x), rtol=0, atol=0)
    assert load(file).checkpoint.architecture == ENTRY | {"activation": activation}


def test_a_mask_that_a_defence_cut_is_cut_again(tmp_path):
    def cut(network):
        network.get_submodule(MASK).passes[::2] = 0

    file, shape = tmp_path / "model.safetensors", (3, 16, 16)
    network = saved(file, {"method": "resnet18", "width": 2}, shape, 7, change=cut)
    found = load(file, shape)
    x = torch.rand(4, *shape)
    torch.testing.assert_close(found(x), network(x), rtol=0, atol=0)
    assert found.network.get_submodule(MASK).passes.min() == 0


@pytest.mark.parametrize("other", [{"classes": 10}, {"shape": (3, 16, 16)}, {"shape": (1, 28, 28)}])
def test_images_or_classes_of_another_data_set_are_refused_with_both(file, other):
    with pytest.raises(
        UserError, match="for 1 x 16 x 16 and 7 classes, and the data are images"
    ) as told:
        load(file, **other)
    shape, classes = other.get("shape", SHAPE), other.get("classes", 7)
    assert f"{' x '.join(map(str, shape))} in {classes} classes" in str(told.value)


def test_a_classifier_of_texts_is_refused(tmp_path):
    saved(tmp_path / "model.safetensors", {"method": "text_classifier"}, (9, 40), 2)
    with pytest.raises(
        UserError, match="for 9 x 40 and 2 classes, and the data are images of 1 x 16"
    ):
        load(tmp_path / "model.safetensors", classes=2)


def test_a_file_of_an_earlier_version_is_refused_with_what_to_do(file):
    held = checkpoint.load(file)
    seal(file, {checkpoint.WEIGHTS + name: one for name, one in held.weights.items()}, {})
    with pytest.raises(UserError, match=r"does not say its architecture.* run its study again"):
        load(file)


def test_other_layers_than_those_that_were_trained_are_an_error_that_names_the_file(file):
    held = checkpoint.load(file)
    del held.weights["conv1.weight"]
    checkpoint.save(file, held)
    with pytest.raises(
        UserError, match=r"model\.safetensors: .*other layers.*conv1\.weight.*train it"
    ):
        load(file)


def test_an_altered_byte_is_noticed(file):
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)
    with pytest.raises(UserError, match="sha256 does not match"):
        load(file)


def test_a_file_that_is_cut_is_named(file):
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(UserError, match=r"model\.safetensors cannot be read"):
        load(file)


def test_a_sealed_file_without_a_network_says_what_it_holds(tmp_path):
    seal(tmp_path / "pgd.safetensors", {"x_adv": torch.zeros(2), "success": torch.ones(2)}, {})
    with pytest.raises(
        UserError, match=r"holds success, x_adv, and no network|holds x_adv, success"
    ):
        load(tmp_path / "pgd.safetensors")


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.safetensors: no such file"):
        load(tmp_path / "nowhere.safetensors")


HOSTILE = ["", "null", "3", "[]", '"x"', "[" * 9999, '{"method": "nope"}', "[1e99, 16, 16]", "-1"]


@pytest.mark.parametrize("name", ["architecture", "shape", "classes", "defence"])
@pytest.mark.parametrize("content", [*HOSTILE, None])
def test_a_description_that_is_sealed_and_yet_wrong_is_an_error_of_one_line(file, name, content):
    held = checkpoint.load(file)
    about = checkpoint.network_metadata(held.architecture, held.shape, held.classes)
    about |= {"defence": json.dumps(held.defence), name: content}
    weights = {checkpoint.WEIGHTS + part: one for part, one in held.weights.items()}
    seal(file, weights, {key: text for key, text in about.items() if text is not None})
    with pytest.raises(UserError, match=r"model\.safetensors") as told:
        load(file)
    assert "\n" not in str(told.value)
