"""One pass over the inputs: what it answers, what it measures, and what it keeps in memory."""

import weakref
from collections import OrderedDict
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from pipeline.results import layer_pass, rows
from pipeline.run import load
from pipeline.stages import distort
from robustinfo.core import registry
from robustinfo.models._network import Network
from robustinfo.training.loop import Images
from tests.by_quantity import by_quantity
from tests.jobs import STANDARD

MEASURES = {
    "kde": {"method": "kde_information"},
    "entropy": {"method": "activation_entropy"},
    "bins": {"method": "binned_information", "width": 0.5},
}
PGD = {"method": "pgd", "epsilon": 0.2, "step_size": 0.1, "steps": 3, "random_start": False}


@pytest.fixture
def model():
    torch.manual_seed(0)
    layers = OrderedDict(
        conv=nn.Conv2d(1, 3, 3), act=nn.ReLU(), flatten=nn.Flatten(), fc=nn.Linear(3 * 36, 4)
    )
    return Network(layers, ["conv", "fc"], ["act", "softmax"]).eval()


@pytest.fixture
def batch():
    torch.manual_seed(1)
    return torch.rand(50, 1, 8, 8), torch.arange(50) % 4


def test_what_is_measured_is_what_the_measures_say_of_the_layers(model, batch, monkeypatch):
    monkeypatch.setattr(layer_pass, "EVALUATION_BATCH", 16)
    x, y = batch
    right, found = layer_pass.evaluate_layers(model, x, y, MEASURES)
    logits, seen = model.observe(x, ("conv", "act", "fc", "softmax"))
    assert right.equal(logits.argmax(1) == y)
    loss, *of_layers = found
    each = F.cross_entropy(logits, y, reduction="none").double()
    reach = 1.96 * each.std().item() / 50**0.5
    assert (loss.quantity, loss.interval, loss.n, loss.entry) == ("loss", "own", 50, "")
    assert loss.value == pytest.approx(each.mean().item())
    assert [loss.low, loss.high] == pytest.approx([loss.value - reach, loss.value + reach])
    by_place = {(one.entry, one.layer, one.quantity): one for one in of_layers}
    assert len(by_place) == len(of_layers)
    places = [("kde", "conv"), ("kde", "fc"), ("bins", "conv"), ("entropy", "softmax")]
    for entry, layer in places:
        expected = registry.get("measures", MEASURES[entry])(seen[layer], y)
        for one in expected:
            same = by_place[entry, layer, one.quantity]
            assert same.value == pytest.approx(one.value, abs=1e-4)
            # Who is asked is known here, all else to the measure.
            assert same == one._replace(entry=entry, layer=layer, value=same.value)
    assert ("entropy", "network", "entropy_flow") in by_place
    assert not any(place[:2] == ("kde", "act") for place in by_place)


def test_a_measure_that_sees_the_inputs_gets_them(model, batch):
    x, y = batch
    entry = {"method": "nhsic", "batch_size": 20}
    _, found = layer_pass.evaluate_layers(model, x, y, {"nhsic": entry})
    seen = model.observe(x, ("fc",))[1]["fc"]
    expected = by_quantity(registry.get("measures", entry)(seen, y, x=x))
    own = by_quantity(one for one in found if one.layer == "fc")
    assert own["nhsic_input"].value == pytest.approx(expected["nhsic_input"].value)


def test_the_scale_of_the_logits_is_of_the_last_layer_probed_or_not(model, batch):
    x, y = batch
    unprobed = Network(OrderedDict(model.named_children()), ["conv"], ["act"]).eval()
    assert unprobed.logits == model.logits == ("fc",)
    for network in (model, unprobed):
        (one,) = layer_pass.evaluate_layers(network, x, y, {"scale": {"method": "logit_scale"}})[1][
            1:
        ]
        expected = model(x).std(1, correction=0).mean().item()
        assert (one.entry, one.layer, one.quantity) == ("scale", "fc", "logit_scale")
        assert one.value == pytest.approx(expected, rel=1e-5)


def test_all_measures_share_one_forward_pass(model, batch, monkeypatch):
    monkeypatch.setattr(layer_pass, "EVALUATION_BATCH", 16)
    passed = []
    model.conv.register_forward_hook(lambda layer, x, t: passed.append(len(t)))
    layer_pass.evaluate_layers(model, *batch, MEASURES)
    assert passed == [16, 16, 16, 2]


def test_a_measured_layer_is_given_back_before_the_next(model, batch, monkeypatch):
    alive, met = [], []

    def estimate(t, y):
        alive.append(sum(ref() is not None for ref in met))
        met.append(weakref.ref(t))
        return []

    monkeypatch.setattr(registry, "get", lambda kind, entry: estimate)
    layer_pass.evaluate_layers(model, *batch, {"bins": MEASURES["bins"]})
    assert alive == [0, 0]


def distortions(model, batch, monkeypatch, tmp_path):
    """The rows of stage distort, and the clean images as it sees them."""
    x, y = batch
    images = (x * 255).round().to(torch.uint8)
    monkeypatch.setattr(load, "test_images", lambda job: Images(images, y))
    monkeypatch.setattr(distort, "network", lambda job, defence, file: model)
    params = {
        "defence": STANDARD,
        "distorted": {"inputs": ["clean", "pgd"], "measures": ["bins", "kde"]},
        "snapshot_attacks": {"pgd": PGD},
        "measures": MEASURES,
        "distortions": {
            "same": {"method": "saturation", "power": 2},
            "shuffle": {"method": "patch_shuffle", "sweep": {"patches": [1, 4]}},
        },
    }
    file = tmp_path / "distortions.csv"
    generator = torch.Generator().manual_seed(0)
    distort.run(
        SimpleNamespace(
            params=params,
            device=torch.device("cpu"),
            generator=generator,
            file=lambda _: tmp_path / "model.safetensors",
            writes={"distortions": file},
        )
    )
    return rows.read(file), images.float() / 255


def test_an_image_is_distorted_after_it_was_attacked(model, batch, monkeypatch, tmp_path):
    table, clean = distortions(model, batch, monkeypatch, tmp_path)
    y, generator = batch[1], torch.Generator().manual_seed(0)
    accuracy = table[table.quantity == "accuracy"].set_index(["input", "entry", "level"]).value
    attacked = layer_pass.adversarial_inputs(model, PGD, clean, y, generator=generator)
    for name, given in {"clean": clean, "pgd": attacked}.items():
        expected = (model(given).argmax(1) == y).double().mean().item()
        own = accuracy[name]
        assert own["same"].item() == own["shuffle", 1.0] == pytest.approx(expected)
    assert accuracy["pgd", "shuffle", 1.0] < accuracy["clean", "shuffle", 1.0]
    assert {*table[table.layer != ""].layer} == {"conv", "fc"}


def test_of_two_measures_of_distorted_images_each_says_its_own(model, batch, monkeypatch, tmp_path):
    table, clean = distortions(model, batch, monkeypatch, tmp_path)
    _, seen = model.observe(clean, ("fc",))
    own = table.query("input == 'clean' and entry == 'same' and layer == 'fc'")
    values = own.set_index("quantity").value
    for name in ("bins", "kde"):
        for one in registry.get("measures", MEASURES[name])(seen["fc"], batch[1]):
            assert values[f"{name}/{one.quantity}"] == pytest.approx(one.value, abs=1e-4)
    assert len(values) == 3 + 6
