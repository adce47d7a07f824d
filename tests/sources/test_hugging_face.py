"""Image classifiers of Hugging Face: a stub that behaves like transformers, and the library itself
where it is installed, on random weights and on a small trained network. Nothing is fetched.
"""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources import model
from tests.sources.conftest import fit

SHAPE, MEAN, STD = (3, 32, 32), (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)


class Stub(nn.Module):
    """A network that answers as transformers' do."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(4, 10)

    def forward(self, pixel_values):
        return {"loss": None, "logits": self.head(self.layers(pixel_values))}


def processor(mean=MEAN, std=STD, scale=1 / 255, order=(0, 1, 2)):
    def process(image, return_tensors):
        pixels = torch.tensor(np.asarray(image)[:8, :8], dtype=torch.float32).permute(2, 0, 1)
        pixels = pixels[[*order]] * scale
        pixels = (pixels - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]
        return {"pixel_values": pixels[None]}

    return process


@pytest.fixture
def stub(monkeypatch):
    """transformers that loads a Stub; its parts can be changed."""
    library = ModuleType("transformers")
    library.network, library.processor, library.missing = Stub().eval(), processor(), set()

    def load_network(name, output_loading_info):
        assert output_loading_info
        if name == "nobody/nothing":
            raise OSError("Name or\nservice not known")
        return library.network, {"missing_keys": library.missing}

    library.AutoModelForImageClassification = SimpleNamespace(from_pretrained=load_network)
    library.AutoImageProcessor = SimpleNamespace(from_pretrained=lambda name: library.processor)
    monkeypatch.setitem(sys.modules, "transformers", library)
    return library


def load(text, shape=SHAPE, classes=10, **options):
    return model(text, shape=shape, classes=classes, **options)


def images(n=5, shape=SHAPE):
    return torch.rand(n, *shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("scale", [1 / 255, 1 / 127.5, 1.0])
def test_what_its_processor_does_to_colours_is_put_inside(stub, scale):
    stub.processor = processor(scale=scale)
    x = images()
    read = (255 * scale * x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    guard = load("hf:somebody/something")
    torch.testing.assert_close(guard(x), stub.network(read)["logits"], atol=1e-4, rtol=1e-4)
    assert guard.source == "hf:somebody/something" and len(guard.sha256) == 64


def test_colours_in_another_order_are_refused(stub):
    stub.processor = processor(order=(2, 1, 0))
    with pytest.raises(UserError, match="reads colours in another order than red, green, blue"):
        load("hf:somebody/something")


def test_a_classifier_that_was_not_trained_is_refused(stub):
    stub.missing = {"head.weight", "head.bias"}
    with pytest.raises(UserError, match=r"no trained weights of head\.bias, head\.weight; choose"):
        load("hf:somebody/something")


def test_without_a_connection_the_cache_is_named(stub):
    with pytest.raises(UserError, match=r"OSError: Name or service not known\).*cache \(HF_HOME\)"):
        load("hf:nobody/nothing")


def test_mean_and_std_of_others_are_refused(stub):
    with pytest.raises(UserError, match=r"its own mean and std are known; leave --mean"):
        load("hf:somebody/something", mean=0.5, std=0.5)


def test_without_the_extra_the_command_that_installs_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(UserError, match=r"next: pip install 'robustinfo\[transformers\]'"):
        load("hf:somebody/something")


@pytest.fixture
def transformers(project):
    return pytest.importorskip("transformers", reason="the extra transformers is not installed")


def resnet(transformers, **options):
    torch.manual_seed(0)
    config = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic", num_labels=10,
        downsample_in_first_stage=False, **options,
    )  # fmt: skip
    return transformers.ResNetForImageClassification(config)


def saved(transformers, network):
    network.save_pretrained("net")
    mean, std = [*MEAN], [*STD]
    transformers.ViTImageProcessor(image_mean=mean, image_std=std).save_pretrained("net")


def test_a_folder_of_the_library_is_read_and_answers_as_its_network(transformers):
    network = resnet(transformers).eval()
    saved(transformers, network)
    x = images()
    read = (x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    guard = load("hf:net")
    torch.testing.assert_close(guard(x), network(read).logits, atol=1e-4, rtol=1e-4)
    assert guard.notes[1].endswith("its ['logits'] is taken for the logits")


def test_a_trained_network_of_the_library_knows_the_digits(transformers, digits):
    class Read(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = resnet(transformers)

        def forward(self, x):
            read = (x - torch.tensor(MEAN)[:, None, None]) / STD[0]
            return self.network(read).logits

    x, y = digits[0].expand(-1, 3, -1, -1), digits[1]
    fitted = fit(Read(), x, y, steps=60).network
    fitted.save_pretrained("net")
    std = [STD[0]] * 3
    transformers.ViTImageProcessor(image_mean=[*MEAN], image_std=std).save_pretrained("net")
    guard = load("hf:net", shape=(3, 8, 8))
    with torch.no_grad():
        assert (guard(x).argmax(1) == y).float().mean() > 0.9
    ours = x[:4].clone().requires_grad_()
    assert torch.autograd.grad(guard(ours).sum(), ours)[0].abs().sum() > 0


def test_a_network_without_a_trained_head_is_told(transformers):
    network = resnet(transformers)
    saved(transformers, network.resnet)
    with pytest.raises(UserError, match=r"no trained weights of classifier\.1\.bias"):
        load("hf:net")


def test_a_folder_that_is_not_there_is_told_in_a_line(transformers, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UserError, match=r"hf:\./nowhere: its weights could not be loaded") as told:
        load("hf:./nowhere")
    assert "\n" not in str(told.value)
