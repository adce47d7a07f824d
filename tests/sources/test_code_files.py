"""Files that hold a network's operations beside its weights: TorchScript and torch.export."""

import copy
import hashlib
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources import model


def load(name, **options):
    return model(name, shape=(1, 8, 8), classes=10, **options)


def example(dtype=torch.float32):
    return torch.rand(4, 1, 8, 8, dtype=dtype)


def exported(network, file, dtype=torch.float32, sizes=None):
    sizes = sizes or ({0: torch.export.Dim("n")},)
    program = torch.export.export(network, (example(dtype),), dynamic_shapes=sizes)
    torch.export.save(program, file)


WAYS = {
    "script": lambda network, file: torch.jit.save(torch.jit.script(network), file),
    "trace": lambda network, file: torch.jit.save(torch.jit.trace(network, example()), file),
    "freeze": lambda network, file: torch.jit.freeze(torch.jit.script(network)).save(file),
    "export": exported,
}


@pytest.mark.parametrize("suffix", ["pt", "pt2", "pth"])
@pytest.mark.parametrize("way", WAYS)
def test_they_are_told_by_their_content_and_answer_as_the_network(
    way, suffix, project, same, trained
):
    file = project / f"net.{suffix}"
    WAYS[way](trained, str(project / "net.pt2") if way == "export" else str(file))
    if way == "export":
        (project / "net.pt2").rename(file)
    guard = load(str(file))
    same(guard)
    (note,) = guard.notes
    assert "code, trusted as a module of Python is" in note and note.startswith(str(file))
    assert guard.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("way", ["script", "export"])
def test_another_precision_is_judged_in_float32_and_that_is_said(
    way, dtype, project, same, trained
):
    network = copy.deepcopy(trained).to(dtype)
    if way == "export":
        exported(network, "net.pt2", dtype)
    else:
        WAYS[way](network, "net.pt2")
    guard = load("net.pt2")
    same(guard, expected=network.float(), tolerance=1e-4)
    assert guard.notes[1] == f"net.pt2 has weights in {dtype}: it is judged in torch.float32"


@pytest.mark.parametrize(
    "dtype, said",
    [(torch.float16, "its gradients are rounded"), (torch.float64, "and is judged so")],
)
def test_frozen_torchscript_reads_images_in_its_own_precision(dtype, said, project, same, trained):
    frozen = torch.jit.freeze(torch.jit.script(copy.deepcopy(trained).to(dtype)))
    frozen.save("net.pt")
    guard = load("net.pt")
    same(guard, tolerance=0.02)
    assert f"computes in {dtype} and fails in torch.float32" in guard.notes[1]
    assert guard.notes[1].endswith(said) and guard(example()).dtype == torch.float32


def test_a_program_for_one_size_of_batches_is_answered_with_the_lines_to_copy(project, trained):
    exported(trained, "net.pt2", sizes=({},))
    with pytest.raises(UserError, match="cannot read 33 images of 1 x 8 x 8") as told:
        load("net.pt2")
    assert '\n    n = torch.export.Dim("n")\n' in str(told.value)


@pytest.mark.parametrize("way", ["script", "export"])
def test_a_file_that_is_cut_is_shown(way, project, trained):
    WAYS[way](trained, "net.pt2")
    content = Path("net.pt2").read_bytes()
    Path("net.pt2").write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=r"net\.pt2 holds no weights that torch\.save wrote"):
        load("net.pt2")


@pytest.mark.parametrize(
    "inside, words",
    [
        ("constants.pkl", r"is TorchScript that torch \S+ cannot load(.|\n)*weights\.pt --build"),
        ("archive_format", r"is no program that torch \S+ can load(.|\n)*torch\.export\.save"),
    ],
)
def test_what_this_torch_cannot_load_is_to_be_written_anew(inside, words, project):
    with zipfile.ZipFile("net.pt", "w") as archive:
        archive.writestr(f"net/{inside}", "nothing")
    with pytest.raises(UserError, match=words):
        load("net.pt")


def test_mean_and_std_are_put_inside(project, trained):
    torch.jit.save(torch.jit.script(trained), "net.pt")
    x = example()
    expected = trained((x - 0.5) / 0.25)
    torch.testing.assert_close(load("net.pt", mean=0.5, std=0.25)(x), expected)


def test_no_builder_is_asked_for(project, trained):
    torch.jit.save(torch.jit.script(trained), "net.pt")
    with pytest.raises(UserError, match="--build mine:Small is for a file of weights"):
        load("net.pt", build="mine:Small")


def test_networks_of_one_operation_are_told_too(project):
    torch.jit.save(torch.jit.script(nn.Sequential(nn.Flatten(), nn.Linear(64, 10))), "net.pt")
    assert load("net.pt")(example()).shape == (4, 10)
