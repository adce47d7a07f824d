"""Networks of torchvision, timm and RobustBench. Weights are never fetched here: where a download
would be, the libraries give random ones. timm and RobustBench are stubs that behave like them, and
the libraries themselves where they are installed.
"""

import sys
from enum import Enum
from types import ModuleType, SimpleNamespace

import pytest
import torch
import torchvision
from torch import nn

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources import model
from robustinfo.evaluation.sources.robustbench import _import
from tests.sources.conftest import fit

SHAPE, MEAN, STD = (3, 64, 64), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def load(text, shape=SHAPE, classes=1000):
    return model(text, shape=shape, classes=classes)


def by_hand(network, x):
    return network((x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None])


def offline(*_, **__):
    raise OSError("Name or service not known")


class Tiny(nn.Sequential):
    def __init__(self, classes):
        torch.manual_seed(0)
        layers = nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, classes)
        super().__init__(*layers)


@pytest.fixture
def random_weights(monkeypatch):
    """torchvision's networks, but a draw in place of the download."""
    made, original = [], torchvision.models.get_model

    def get_model(name, weights):
        assert weights is torchvision.models.get_model_weights(name).DEFAULT
        made.append(original(name, weights=None).eval())
        return made[-1]

    monkeypatch.setattr(torchvision.models, "get_model", get_model)
    return made


def test_torchvisions_networks_read_images_in_0_1_and_normalise_inside(random_weights):
    network = load("torchvision:squeezenet1_1")
    x = torch.rand(2, *SHAPE)
    torch.testing.assert_close(network(x), by_hand(random_weights[0], x))
    assert not network.training and not random_weights[0].training


def test_the_normalisation_is_no_weight_and_moves_with_the_network(random_weights):
    network = load("torchvision:squeezenet1_1")
    assert all(name.startswith("network.") for name in network.state_dict())
    assert network.double()(torch.rand(2, *SHAPE).double()).dtype == torch.float64


def test_a_gradient_reaches_the_image(random_weights):
    x = torch.rand(2, *SHAPE, requires_grad=True)
    load("torchvision:squeezenet1_1")(x).sum().backward()
    assert x.grad.abs().sum() > 0


def test_grey_images_are_refused_by_networks_of_three_channels(random_weights):
    with pytest.raises(UserError, match="mean is of images of 3 channels, the data has 1"):
        load("torchvision:squeezenet1_1", shape=(1, 64, 64))


def test_data_of_other_classes_is_refused(random_weights):
    with pytest.raises(UserError, match=r"gives \(2, 1000\) for 2 images, not \(2, 10\)"):
        load("torchvision:squeezenet1_1", classes=10)


@pytest.mark.parametrize("name", ["resnet19", "fasterrcnn_resnet50_fpn", ""])
def test_what_torchvision_has_not_is_answered_with_what_is_similar(name):
    with pytest.raises(UserError, match=rf"no '{name}' among its \d+ networks; similar: "):
        load(f"torchvision:{name}")


def test_similar_names_are_similar():
    with pytest.raises(UserError, match=r"similar: .*resnet18"):
        load("torchvision:resnet19")


def test_without_a_connection_the_cache_is_named(monkeypatch):
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: "empty-cache")
    monkeypatch.setattr("os.makedirs", lambda *_, **__: None)
    with pytest.raises(
        UserError, match=r"OSError: Name or service.*connect.*empty-cache/checkpoints"
    ):
        load("torchvision:resnet18")


@pytest.mark.parametrize("package", ["timm", "robustbench"])
def test_a_missing_extra_is_answered_with_the_command_that_installs_it(package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    with pytest.raises(UserError, match=rf"next: pip install 'robustinfo\[{package}\]'"):
        load(f"{package}:anything")


@pytest.fixture(params=["stub", "real"])
def timm(request, monkeypatch):
    """timm, whose pretrained weights are random ones; ``made`` holds what it built."""
    if request.param == "real":
        timm = pytest.importorskip("timm")
        original = timm.create_model
        build = lambda name: original(name, pretrained=False)  # noqa: E731
    else:
        timm = ModuleType("timm")
        config = {"mean": MEAN, "std": STD, "input_size": (3, 224, 224)}
        timm.data = SimpleNamespace(resolve_model_data_config=lambda _: config)
        timm.list_models = lambda: ["resnet18", "resnet26", "botnet50ts_256"]
        timm.list_pretrained = lambda: ["resnet18.a1_in1k", "resnet26.bt_in1k"]
        timm.is_model = lambda name: name.split(".")[0] in timm.list_models()
        timm.is_model_pretrained = lambda name: name != "botnet50ts_256"
        build = lambda _: Tiny(1000)  # noqa: E731
        monkeypatch.setitem(sys.modules, "timm", timm)
    timm.made = []

    def create_model(name, pretrained):
        assert pretrained
        timm.made.append(build(name))
        return timm.made[-1]

    monkeypatch.setattr(timm, "create_model", create_model, raising=False)
    return timm


@pytest.mark.parametrize("name", ["resnet18", "resnet18.a1_in1k"])
def test_timms_networks_read_images_in_0_1_and_normalise_inside(timm, name):
    network, x = load(f"timm:{name}"), torch.rand(2, *SHAPE)
    torch.testing.assert_close(network(x), by_hand(timm.made[0], x))
    assert not network.training


def test_what_timm_has_not_is_answered_with_what_is_similar(timm):
    with pytest.raises(UserError, match=r"timm has no 'resnet19' among its .* similar: .*resnet18"):
        load("timm:resnet19")


def test_no_address_of_the_hub_is_taken_for_a_name(timm):
    with pytest.raises(UserError, match="timm has no 'hf_hub:"):
        load("timm:hf_hub:somebody/something")
    assert not timm.made


def test_an_architecture_without_pretrained_weights_is_refused(timm):
    with pytest.raises(UserError, match="botnet50ts_256 has no pretrained weights"):
        load("timm:botnet50ts_256")


def test_timm_without_a_connection_names_the_cache(timm, monkeypatch):
    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(UserError, match=r"timm:resnet18: its weights.*Name or service.*HF_HOME"):
        load("timm:resnet18")


def test_a_trained_network_of_timm_is_read_from_its_weights(project, digits):
    timm = pytest.importorskip("timm", reason="the extra timm is not installed")
    options = {"num_classes": 10, "in_chans": 1}
    torch.save(fit(timm.create_model("test_byobnet", **options), *digits).state_dict(), "net.pth")
    (project / "mine.py").write_text("from timm import create_model as create\n")
    network = model(
        "net.pth", shape=(1, 8, 8), classes=10, build="mine:create",
        build_args={"model_name": "test_byobnet", **options},
    )  # fmt: skip
    with torch.no_grad():
        assert (network(digits[0]).argmax(1) == digits[1]).float().mean() > 0.9


@pytest.fixture(params=["stub", "real"])
def robustbench(request, monkeypatch):
    """RobustBench, that loads nothing; ``asked`` holds what it was asked for."""
    if request.param == "real":
        try:
            _import()
        except UserError:
            pytest.skip("robustbench is not installed")
        from robustbench import utils
    else:
        zoo, enums, utils = (ModuleType(f"robustbench.{n}") for n in ("zoo", "enums", "utils"))
        enums.BenchmarkDataset = str
        linf, l2 = Enum("ThreatModel", {"Linf": "Linf", "L2": "L2"})
        small = {linf: {"Standard": 1, "Carmon2019Unlabeled": 1}, l2: {"Standard": 1}}
        zoo.model_dicts = {"cifar10": small, "cifar100": {linf: {"Rice2020Overfitting": 1}}}
        zoo.__path__ = []
        monkeypatch.setitem(sys.modules, "robustbench", ModuleType("robustbench"))
        sys.modules["robustbench"].__path__ = []
        monkeypatch.setitem(sys.modules, "robustbench.model_zoo", zoo)
        monkeypatch.setitem(sys.modules, "robustbench.model_zoo.enums", enums)
        monkeypatch.setitem(sys.modules, "robustbench.utils", utils)
    utils.asked = []

    def load_model(name, *, model_dir, dataset, threat_model):
        utils.asked.append((name, dataset, threat_model))
        return Tiny({"cifar10": 10, "cifar100": 100}[dataset])

    monkeypatch.setattr(utils, "load_model", load_model, raising=False)
    return utils


@pytest.mark.parametrize(
    "text, classes, asked",
    [
        ("Standard", 10, ("Standard", "cifar10", "Linf")),
        ("L2/Standard", 10, ("Standard", "cifar10", "L2")),
        ("Rice2020Overfitting", 100, ("Rice2020Overfitting", "cifar100", "Linf")),
    ],
)
def test_robustbench_is_asked_for_the_data_set_of_so_many_classes(
    robustbench, text, classes, asked
):
    network, x = load(f"robustbench:{text}", (3, 32, 32), classes), torch.rand(2, 3, 32, 32)
    assert robustbench.asked == [asked] and network(x).equal(Tiny(classes)(x))


@pytest.mark.parametrize(
    "text, classes, words",
    [
        ("Standart", 10, "cifar10, Linf, has no 'Standart' among .* similar: Standard"),
        ("L1/Standard", 10, "no threat model 'L1' for cifar10; choose from Linf, L2"),
        ("Standard", 7, "know the classes of cifar10, cifar100, imagenet, and the data has 7"),
    ],
)
def test_what_robustbench_has_not_is_refused_with_the_choices(robustbench, text, classes, words):
    with pytest.raises(UserError, match=words):
        load(f"robustbench:{text}", (3, 32, 32), classes)
    assert not robustbench.asked


def test_robustbench_without_a_connection_names_the_cache(robustbench, monkeypatch):
    monkeypatch.setattr(robustbench, "load_model", offline)
    with pytest.raises(
        UserError, match=r"its weights.*Name or service.*/robustbench from a machine"
    ):
        load("robustbench:Standard", (3, 32, 32), 10)


def test_a_trained_network_of_robustbench_knows_the_digits(robustbench, digits, monkeypatch):
    if not hasattr(robustbench, "__file__"):
        pytest.skip("robustbench is not installed")
    from robustbench.model_zoo.architectures.wide_resnet import WideResNet

    wide = digits[0].repeat_interleave(4, 2).repeat_interleave(4, 3)
    x, y = wide.expand(-1, 3, -1, -1), digits[1]
    torch.manual_seed(0)
    trained = fit(WideResNet(depth=10, num_classes=10, widen_factor=1), x[300:], y[300:], steps=60)
    monkeypatch.setattr(robustbench, "load_model", lambda *_, **__: trained)
    network = load("robustbench:Standard", (3, 32, 32), 10)
    with torch.no_grad():
        assert (network(x[:300]).argmax(1) == y[:300]).float().mean() > 0.8
