"""Networks in ONNX, where the extra is installed."""

import copy
import hashlib
import sys
from pathlib import Path

import pytest
import torch

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources import model
from tests.sources.conftest import Small

NAMES = {"input_names": ["x"], "output_names": ["logits"]}
ANY = {"x": {0: "n"}, "logits": {0: "n"}}


@pytest.fixture
def onnx(project):
    """The extra; and a folder to write in."""
    pytest.importorskip("onnx2pytorch", reason="the extra onnx is not installed")
    return pytest.importorskip("onnx", reason="the extra onnx is not installed")


def written(network, dtype=torch.float32, opset=17, axes=ANY):
    example = torch.rand(3, 1, 8, 8, dtype=dtype)
    torch.onnx.export(
        network, example, "net.onnx", dynamo=False, opset_version=opset, dynamic_axes=axes, **NAMES
    )


def load(shape=(1, 8, 8), **options):
    return model("net.onnx", shape=shape, classes=10, **options)


@pytest.mark.parametrize("opset", [11, 17, 20])
def test_it_answers_as_the_network_and_has_its_gradient(opset, onnx, same, trained):
    written(trained, opset=opset)
    guard = load()
    same(guard)
    assert guard.notes == ["net.onnx is made into torch's operations by onnx2pytorch"]
    assert guard.sha256 == hashlib.sha256(Path("net.onnx").read_bytes()).hexdigest()


def test_what_torch_writes_today_is_read(onnx, same, trained):
    pytest.importorskip("onnxscript", reason="which torch writes ONNX by is not installed")
    sizes = ({0: torch.export.Dim("n")},)
    torch.onnx.export(
        trained, (torch.rand(3, 1, 8, 8),), "net.onnx", dynamo=True, dynamic_shapes=sizes
    )
    same(load())


def test_equal_weights_that_are_written_once_are_read_twice(onnx):
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.BatchNorm2d(4),
        torch.nn.Conv2d(4, 4, 3), torch.nn.ReLU(), torch.nn.BatchNorm2d(4),
        torch.nn.Flatten(), torch.nn.Linear(64, 10),
    ).eval()  # fmt: skip
    written(network)
    assert "Identity" in {node.op_type for node in onnx.load("net.onnx").graph.node}
    x = torch.rand(5, 1, 8, 8)
    torch.testing.assert_close(load()(x), network(x))


def test_float16_is_judged_in_float32_and_that_is_said(onnx, same, trained):
    written(copy.deepcopy(trained).half(), torch.float16)
    guard = load()
    same(guard, tolerance=0.02)
    assert guard.notes[1] == "net.onnx has weights in torch.float16: it is judged in torch.float32"


def test_a_file_that_gives_other_numbers_in_torch_is_refused(onnx, trained, monkeypatch):
    import onnx2pytorch

    monkeypatch.setattr(onnx2pytorch, "ConvertModel", lambda _: Small())
    written(trained)
    with pytest.raises(UserError, match=r"gives other numbers .* by up to \d+\.\d%") as told:
        load()
    assert "\n    torch.onnx.export(network.eval()" in str(told.value)


def test_what_is_no_onnx_is_refused_with_the_lines_that_write_it(onnx):
    Path("net.onnx").write_bytes(b"nothing of the kind")
    with pytest.raises(UserError, match=r"net\.onnx cannot be made into torch's operations"):
        load()


def test_images_of_another_size_are_refused(onnx, trained):
    written(trained)
    with pytest.raises(UserError, match=r"cannot read 33 images of 1 x 9 x 9(.|\n)*onnx\.exp"):
        load((1, 9, 9))


def test_without_the_extra_the_command_that_installs_it_is_said(project, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    Path("net.onnx").touch()
    with pytest.raises(UserError, match=r"onnx: .*next: pip install 'robustinfo\[onnx\]'"):
        load()
