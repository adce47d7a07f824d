"""Files of weights, and the code that builds their network."""

from collections import OrderedDict
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources import model, options_of_twin

SMALL = """
from tests.sources.conftest import Small

def parallel():
    import torch
    return torch.nn.DataParallel(Small())

def answers(images):
    return images.reshape(len(images), -1)[:, :10]
"""


@pytest.fixture
def load(project):
    (project / "mine.py").write_text(SMALL)

    def load(content, build="mine:Small", name="best.pt", **options):
        if content is not None:
            torch.save(content, name)
        return model(name, shape=(1, 8, 8), classes=10, build=build, **options)

    return load


WRITTEN = {
    "by itself": lambda state: state,
    "in a dictionary": lambda state: {"state_dict": state, "epoch": 7},
    "two deep": lambda state: {"checkpoint": {"model": state}, "args": {"width": 8}},
    "under another name": lambda state: {"generator_of_logits": state},
    "of DataParallel": lambda state: {f"module.{name}": one for name, one in state.items()},
    "of torch.compile": lambda state: {f"_orig_mod.{name}": one for name, one in state.items()},
    "of both": lambda state: {f"module._orig_mod.{name}": one for name, one in state.items()},
    "of one part alone": lambda state: {
        name.replace("conv.", "conv.module."): one for name, one in state.items()
    },
    "of Lightning": lambda state: {"state_dict": {f"model.{n}": one for n, one in state.items()}},
    "without a count of batches": lambda state: {
        name: one for name, one in state.items() if "num_batches" not in name
    },
    "with an optimiser": lambda state: {
        "net": state,
        "optimizer": {"state": {0: {"exp_avg": torch.ones(2)}}, "param_groups": [{"lr": 0.1}]},
    },
}


@pytest.mark.parametrize("way", WRITTEN)
def test_weights_are_found_however_they_were_written(way, load, same, trained):
    guard = load(WRITTEN[way](trained.state_dict()))
    same(guard)
    assert guard.notes == []


@pytest.mark.parametrize("build", ["mine:Small", "mine:parallel"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_the_builder_may_wrap_the_network_or_not(build, prefix, load, same, trained):
    same(load({prefix + name: one for name, one in trained.state_dict().items()}, build))


def test_old_files_and_safetensors_are_read_too(load, same, trained):
    torch.save(trained.state_dict(), "best.pth", _use_new_zipfile_serialization=False)
    same(load(None, name="best.pth"))
    save_file(trained.state_dict(), "best.safetensors")
    same(load(None, name="best.safetensors"))


def test_averages_beside_the_weights_are_left_and_that_is_said(load, same, trained):
    mean = {name: one * 0 for name, one in trained.state_dict().items()}
    guard = load({"ema": mean, "state_dict": trained.state_dict()})
    same(guard)
    assert guard.notes == ["best.pt holds ema, too: its state_dict is judged"]


def test_weights_in_float16_are_judged_in_float32_and_that_is_said(load, same, trained):
    guard = load({name: one.half() for name, one in trained.state_dict().items()})
    same(guard, tolerance=0.02)
    assert guard.notes == ["best.pt has weights in torch.float16: it is judged in torch.float32"]


def test_arguments_reach_the_builder(load):
    from tests.sources.conftest import Small

    guard = load(Small(width=3).state_dict(), build_args={"width": 3})
    assert guard.network.conv.out_channels == 3


def test_the_sha256_is_of_the_file(load, trained):
    import hashlib

    guard = load(trained.state_dict())
    with open("best.pt", "rb") as file:
        assert guard.sha256 == hashlib.sha256(file.read()).hexdigest()
    assert guard.source == "best.pt"


def test_without_a_builder_the_lines_to_copy_are_shown(load, trained):
    with pytest.raises(
        UserError, match=r"best\.pt holds 9 tensors, the first conv\.weight"
    ) as told:
        load(trained.state_dict(), build=None)
    assert "\n    robustinfo judge best.pt --build mine:Net --build-args '{" in str(told.value)


REFUSED = {
    "a whole network": (
        lambda trained: trained,
        r"is a pickle of Python objects \((.|\n)*network = torch\.load\(\"best\.pt\", weights_only"
        r"(.|\n)*torch\.save\(network\.state_dict\(\), \"weights\.pt\"\)\n    robustinfo judge",
    ),
    "settings of a class": (
        lambda trained: {"state_dict": trained.state_dict(), "args": SimpleNamespace(width=8)},
        r"SimpleNamespace\)(.|\n)*content = torch\.load(.|\n)*content\[\"state_dict\"\]",
    ),
    "two sets": (
        lambda trained: {"a": trained.state_dict(), "b": trained.state_dict()},
        r"holds several sets of weights, a, b; save the one that is meant under",
    ),
    "a tensor": (lambda trained: torch.ones(2), r"holds a Tensor, and no weights by name"),
    "settings": (
        lambda trained: {"lr": 1.0, "b": 2, "c": 3, "d": 4},
        "a dict of lr, b, c, and 1 more",
    ),
    "nothing": (lambda trained: OrderedDict(), "holds a OrderedDict of nothing"),
    "another network": (
        lambda trained: nn.Linear(3, 3).state_dict(),
        r"has 2 tensors and mine:Small asks for 9: 8 missing \(conv\.weight, conv\.bias, "
        r"norm\.weight, and 5 more\), 2 unknown \(weight, bias\); build the network that was",
    ),
    "another width": (
        lambda trained: type(trained)(width=3).state_dict(),
        r": 7 of other shapes \(conv\.weight \(3, 1, 3, 3\), not \(8, 1, 3, 3\), ",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_file_of_its_weights_is_refused(name, load, trained):
    content, words = REFUSED[name]
    with pytest.raises(UserError, match=words):
        load(content(trained))


FILES = {
    "a page that was downloaded in its place": (
        b"<!DOCTYPE html><html>",
        "begins with b'<!DOCTYPE",
    ),
    "a pointer of git-lfs": (
        b"version https://git-lfs.github.com/spec/v1",
        "begins with b'version ht",
    ),
    "nothing": (b"", "begins with b''"),
    "a file that was cut": (None, "begins with b'PK"),
}


@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
@pytest.mark.parametrize("name", FILES)
def test_what_torch_did_not_write_is_shown(name, suffix, load, trained):
    content, words = FILES[name]
    if content is None:
        torch.save(trained.state_dict(), "whole.pt")
        with open("whole.pt", "rb") as file:
            content = file.read()[:2000]
    with open(f"best.{suffix}", "wb") as file:
        file.write(content)
    with pytest.raises(UserError, match=words if suffix == "pt" else "cannot be read"):
        load(None, name=f"best.{suffix}")


def test_a_network_that_an_old_torch_pickled_is_named(load, trained):
    torch.save(trained, "old.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(UserError, match=r"Python objects \(tests\.sources\.conf|torch\.nn"):
        load(None, name="old.pt")


def test_no_code_of_a_pickle_is_run(load, project):
    class Runs:
        def __reduce__(self):
            return exec, ("open('ran', 'w')",)

    with pytest.raises(UserError, match="is a pickle of Python objects"):
        load({"state_dict": Runs()})
    assert not (project / "ran").exists()


def test_a_function_of_images_reads_no_weights(load, trained):
    with pytest.raises(UserError, match="mine:answers is a function of images, and no network"):
        load(trained.state_dict(), "mine:answers")


def test_a_twin_has_the_builder_of_its_network_where_it_is_such_a_file(load, trained):
    torch.save(trained.state_dict(), "twin.pt")
    torch.save(trained.state_dict(), "best.pt")
    about = {"build": "mine:Small", "build_args": {"width": 8}, "mean": 0.5, "std": 0.5}
    assert options_of_twin("twin.pt", "best.pt", about) == about
    of_code = options_of_twin("mine:answers", "best.pt", about)
    assert of_code == {"mean": 0.5, "std": 0.5}
    assert options_of_twin("torchvision:resnet18", "best.pt", about) == {}
