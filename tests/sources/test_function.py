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
        ("nets:biuld", r"nets\.py has no function 'biuld'; it has build, with_softmax, .*broken"),
        ("nets:LATE", "no function 'LATE'"),
        ("nets:", "no function ''"),
        ("nets:broken", r"nets:broken\(\) failed: KeyError: 'conv1' \(.*nets\.py:17\)"),
        ("nets:asks", r"failed: TypeError: .*'for_one'.*nets\.py that returns asks\(for_one\)"),
        ("nets:Net", r"'width'.*write a function in .*nets\.py that returns Net\(width, depth=3\)"),
        ("nets:leaves", r"nets:leaves\(\) failed: SystemExit: 0 \(.*nets\.py:\d+\)"),
        ("nets.py:build", r"nets\.py is a file, and its module is asked for; write nets:build"),
        ("./nets.py:build", r"write nets:build"),
        ("deep/nets.py:build", r"write deep\.nets:build"),
        ("/deep/nets.py:build", r"go to the folder /deep and write nets:build"),
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
        UserError, match=r"'resnet18' names no network.*torchvision:NAME.*safetensors"
    ):
        load("resnet18")


@pytest.mark.parametrize("file", ["model.pt", "runs/best.pth", "last.ckpt"])
def test_pickles_are_refused_with_the_way_around_them(project, file):
    (project / "model.pt").touch()
    with pytest.raises(UserError, match=r"is a pickle.*package\.module:function"):
        load(file)
