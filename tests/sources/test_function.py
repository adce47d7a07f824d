"""A network from code of the user's own: what works, and what is said where it does not."""

import pytest
import torch

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources import model

SHAPE = (1, 4, 4)
GOOD = """
import torch
from torch import nn

def build():
    torch.manual_seed(3)
    return nn.Sequential(nn.BatchNorm2d(1), nn.Dropout(), nn.Flatten(), nn.Linear(16, 3)).train()

def compiled():
    return torch.compile(build())

def with_softmax():
    return nn.Sequential(build(), nn.Softmax(1))

def with_log_softmax():
    return nn.Sequential(build(), nn.LogSoftmax(1))

def broken():
    weights = {}
    return weights["conv1"]

def asks(for_one):
    return build()

def dictionary():
    return build().state_dict()

def integers():
    class Labels(nn.Module):
        def forward(self, x):
            return x.flatten(1).argmax(1)
    return Labels()

def sparse():
    class Sparse(nn.Module):
        def forward(self, x):
            return x.flatten(1)[:, :3].to_sparse()
    return Sparse()

def infinite():
    class Masked(nn.Module):
        def forward(self, x):
            return x.flatten(1)[:, :3] - torch.tensor([0, torch.inf, 0])
    return Masked()

LATE = 7
NETWORK = build()

class Net(nn.Module):
    def __init__(self, width, depth=3):
        super().__init__()

class Wide(nn.Sequential):
    def __init__(self, width, bias=1.0):
        layers = nn.Flatten(), nn.Linear(16, width), nn.ReLU(), nn.Linear(width, 3)
        super().__init__(*layers)
        nn.init.constant_(self[3].bias, bias)

def wide(**options):
    return Wide(**options)

def predict(images):
    return images.reshape(len(images), -1)[:, :3]

def loaded():
    return predict

def fails(images):
    return images[:, 7]

def leaves():
    raise SystemExit(0)
"""


def load(text, shape=SHAPE, classes=3):
    return model(text, shape=shape, classes=classes)


@pytest.fixture
def nets(project):
    (project / "nets.py").write_text(GOOD)
    return project


def test_it_is_imported_from_the_current_folder_and_comes_in_eval_mode(nets):
    network = load("nets:build")
    assert not any(layer.training for layer in network.modules())
    x = torch.rand(5, *SHAPE)
    assert network(x).equal(network(x)) and network(x).shape == (5, 3)


def test_a_network_that_stands_in_the_module_is_taken_as_it_is(nets):
    assert load("nets:NETWORK")(torch.rand(2, *SHAPE)).shape == (2, 3)


def test_what_torch_compiled_is_judged_as_it_was_written(nets):
    compiled, plain = load("nets:compiled"), load("nets:build")
    x = torch.rand(5, *SHAPE)
    assert compiled(x).equal(plain(x)) and compiled.sha256 == plain.sha256


def test_an_error_of_a_page_is_told_in_a_line(project):
    line = "def build():\n    raise RuntimeError('first\\n' + 'page ' * 999 + '\\nlast')\n"
    (project / "long.py").write_text(line)
    with pytest.raises(
        UserError, match=r"RuntimeError: first page .* \.\.\. .* last \(.*long"
    ) as caught:
        load("long:build")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600


def test_a_module_within_a_package_may_import_its_neighbours_when_it_is_called(project):
    package = project / "mine"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "layers.py").write_text(GOOD)
    (package / "net.py").write_text(
        "def make():\n    from mine import layers\n    return layers.build()\n"
    )
    assert load("mine.net:make")(torch.rand(2, *SHAPE)).shape == (2, 3)


@pytest.mark.parametrize("name", ["with_softmax", "with_log_softmax", "infinite"])
def test_what_outputs_are_worth_is_left_to_the_judge(name, nets):
    load(f"nets:{name}")


@pytest.mark.parametrize(
    "text, words",
    [
        ("nts:build", r"no module 'nts' in .*go to the folder"),
        ("nets.deep:build", r"no module 'nets\.deep'|importing nets\.deep failed"),
        ("nets:biuld", r"nets\.py has no function 'biuld'; it has build, .*with_softmax, .*broken"),
        ("nets:LATE", "nets:LATE is int, and no function that builds a network"),
        ("nets:", "no function ''"),
        ("nets:broken", r"nets:broken\(\) failed: KeyError: 'conv1' \(.*nets\.py:20\)"),
        (
            "nets:asks",
            r"argument: 'for_one'; given numpy images, it fails, too \(TypeError: gives Sequential"
            r'(.|\n)*--build-args \'{"for_one": VALUE}',
        ),
        (
            "nets:Net",
            r"missing a required argument: 'width'; it is called as Net\(width, depth=3\)"
            r'(.|\n)*    --build-args \'{"width": VALUE}\'\n    def build\(\):\n        return Net',
        ),
        ("nets:leaves", r"nets:leaves\(\) failed: SystemExit: 0 \(.*nets\.py:\d+\)"),
        (
            "nets.py:build",
            r"is a file.*is asked for:\n    robustinfo judge nets:build$",
        ),
        ("./nets.py:build", r"\n    robustinfo judge nets:build$"),
        ("deep/nets.py:build", r"\n    robustinfo judge deep\.nets:build$"),
        ("/deep/nets.py:build", r"\n    cd /deep\n    robustinfo judge nets:build$"),
        (":", "':' names no network"),
        ("nets.py", r"nets\.py is a file of code.*\n    robustinfo judge nets:Net$"),
        (
            "C:\\work\\nets.py:Net",
            r"\n    cd '/mnt/c/work'\n    robustinfo judge nets:Net$",
        ),
        (
            "D:/runs/best.pth",
            r"\n    cd '/mnt/d/runs'\n    robustinfo judge best\.pth$",
        ),
        ("runs/best.pth", r"runs/best\.pth: no such file in "),
        ("x" * 300 + ".pt", r"xx\.pt: no such file in "),
        ("nets:dictionary", r"gave OrderedDict, not a torch\.nn\.Module"),
        ("nets:integers", r"gives torch\.int64 for a batch of images"),
        ("nets:sparse", r"gives torch\.sparse_coo for a batch of images"),
    ],
)
def test_what_is_wrong_is_said(nets, text, words):
    with pytest.raises(UserError, match=words):
        load(text)


def test_images_that_it_cannot_read_are_named_with_their_size(nets):
    with pytest.raises(
        UserError, match=r"cannot read 33 images of 3 x 4 x 4.*RuntimeError.*image size"
    ):
        load("nets:build", shape=(3, 4, 4))


def test_another_number_of_classes_is_refused(nets):
    with pytest.raises(UserError, match=r"gives \(2, 3\) for 2 images, not \(2, 10\).*--classes"):
        load("nets:build", classes=10)


@pytest.mark.parametrize(
    "content, words",
    [
        (
            "import not_installed_anywhere",
            r"ModuleNotFoundError: No module named 'not_inst.*bad\.py:1",
        ),
        ("x = 1 / 0", r"ZeroDivisionError: division by zero \(.*bad\.py:1\)"),
        ("def f(:", r"SyntaxError: .*bad\.py"),
    ],
)
def test_a_module_that_cannot_be_imported_says_why_and_where(project, content, words):
    (project / "bad.py").write_text(content)
    with pytest.raises(UserError, match=f"importing bad failed: {words}"):
        load("bad:build")


def test_what_names_no_network_is_answered_with_all_that_could(project):
    with pytest.raises(
        UserError,
        match=r"'resnet18' names no network.*safetensors.*torchvision:NAME.*http",
    ):
        load("resnet18")


@pytest.mark.parametrize("name, bias", [("Wide", 0.0), ("wide", 0.5)])
def test_a_class_or_function_is_called_with_its_arguments(nets, name, bias):
    arguments = {"width": 5, "bias": bias}
    network = model(f"nets:{name}", shape=SHAPE, classes=3, build_args=arguments)
    assert network.network[1].out_features == 5 and network.network[3].bias[0] == bias


@pytest.mark.parametrize(
    "text, arguments, words",
    [
        ("nets:Wide", {"wdth": 5}, r"missing a required argument: 'width'"),
        ("nets:Wide", {"width": 5, "deep": 2}, r"unexpected keyword argument 'deep'"),
        ("nets:Wide", {"width": "x"}, r"nets:Wide\(\) failed: .*"),
        ("nets:NETWORK", {"width": 5}, r"nets:NETWORK is Sequential, and no function"),
        ("torchvision:resnet18", {"width": 5}, r"--build-args are for code that builds a network"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(nets, text, arguments, words):
    with pytest.raises(UserError, match=words):
        model(text, shape=SHAPE, classes=3, build_args=arguments)


@pytest.mark.parametrize("name", ["predict", "loaded"])
def test_a_function_of_numpy_images_is_known_by_its_answers_alone(nets, name):
    network, x = load(f"nets:{name}"), torch.rand(5, *SHAPE)
    assert network.answers_only and network(x).equal(x.flatten(1)[:, :3])


def test_a_function_of_images_that_fails_says_both_what_it_may_be_and_why(nets):
    with pytest.raises(UserError, match=r"'images'; given numpy images.*IndexError.*nets\.py:\d+"):
        load("nets:fails")


def test_build_is_for_files_of_weights_alone(nets):
    with pytest.raises(UserError, match="nets:build: --build nets:Net is for a file of weights"):
        model("nets:build", shape=SHAPE, classes=3, build="nets:Net")


def test_mean_and_std_are_put_inside(nets):
    network = model("nets:build", shape=SHAPE, classes=3, mean=0.5, std=(0.25,))
    x = torch.rand(5, *SHAPE)
    torch.testing.assert_close(network(x), load("nets:build")((x - 0.5) / 0.25))


def test_its_sha256_is_of_the_weights_and_of_the_source_file(nets):
    first, again = load("nets:build"), load("nets:build")
    assert first.sha256 == again.sha256 and first.source == "nets:build"
    assert load("nets:predict").sha256 not in ("", first.sha256)
    (nets / "nets.py").write_text(GOOD + "# changed")
    assert load("nets:build").sha256 != first.sha256
