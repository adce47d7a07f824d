import errno
import os
import subprocess
import sys

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save, save_file

from robustinfo.core.files import DiskError
from robustinfo.core.sealed import AlteredFileError, seal, unseal

TENSORS = {
    "weight": torch.randn(3, 4, generator=torch.Generator().manual_seed(0)),
    "labels": torch.arange(5),
    "images": torch.arange(12, dtype=torch.uint8).view(1, 3, 2, 2),
    "success": torch.tensor([True, False]),
    "half": torch.tensor([1.5, -0.1], dtype=torch.bfloat16),
    "scalar": torch.tensor(float("nan")),
    "none": torch.zeros(0, 3),
    "turned": torch.arange(6.0).view(2, 3).T,
}
METADATA = {"epoch": "3", "device": "cpu, 1 thread"}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "model.safetensors"
    seal(path, TENSORS, METADATA)
    return path


def test_what_was_sealed_is_unsealed_bit_for_bit(path):
    tensors, metadata = unseal(path)
    assert metadata == METADATA and tensors.keys() == TENSORS.keys()
    for name, tensor in tensors.items():
        assert tensor.dtype == TENSORS[name].dtype
        torch.testing.assert_close(tensor, TENSORS[name], rtol=0, atol=0, equal_nan=True)


def test_weights_that_are_being_trained_can_be_sealed(tmp_path):
    model = torch.nn.Linear(3, 2)
    seal(tmp_path / "model", dict(model.named_parameters()), {})
    assert unseal(tmp_path / "model")[0]["weight"].equal(model.weight)


def test_a_flipped_bit_anywhere_is_noticed(path):
    content = path.read_bytes()
    refused = 0
    for place in range(len(content)):
        altered = bytearray(content)
        altered[place] ^= 1 << (place % 8)
        path.write_bytes(altered)
        with pytest.raises(AlteredFileError, match=r"model\.safetensors .*delete it"):
            unseal(path)
        refused += 1
    path.write_bytes(content)
    assert refused > 500 and unseal(path)[1] == METADATA


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.999])
def test_a_truncated_file_is_refused_by_name(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(AlteredFileError, match=r"model\.safetensors cannot be read"):
        unseal(path)


def test_bytes_after_the_end_are_noticed(path):
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(AlteredFileError):
        unseal(path)


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(AlteredFileError, match=r"nowhere\.safetensors"):
        unseal(tmp_path / "nowhere.safetensors")


def test_a_safetensors_file_without_a_seal_is_refused(path):
    save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(AlteredFileError, match="sha256 does not match"):
        unseal(path)


@pytest.mark.parametrize("about", ["[]", "null", "3", '"text"', "{}", "{", "[" * 100_000])
def test_a_file_whose_description_is_no_mapping_is_refused_by_name(path, about):
    save_file({"weight": torch.zeros(2)}, path, {"about": about})
    with pytest.raises(AlteredFileError, match=r"model\.safetensors .*delete it"):
        unseal(path)


def test_a_full_disk_leaves_the_sealed_file_that_was_there(path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(DiskError, match="No space left"):
            seal(path, {"weight": torch.zeros(2)}, {})
    assert unseal(path)[1] == METADATA
    assert list(path.parent.iterdir()) == [path]


def test_the_same_content_is_the_same_bytes_whatever_the_process(tmp_path):
    """safetensors alone writes its metadata in an order that changes from run to run."""
    code = (
        "import sys, torch; from pathlib import Path; from robustinfo.core.sealed import seal;"
        "about = {str(number): 'x' for number in range(9)};"
        "seal(Path(sys.argv[1]), {'b': torch.arange(3), 'a': torch.ones(2)}, about)"
    )
    files = [tmp_path / name for name in "abc"]
    for file in files:
        subprocess.run([sys.executable, "-c", code, str(file)], check=True)
    assert len({file.read_bytes() for file in files}) == 1


def test_a_sealed_file_has_the_bytes_of_safetensors(tmp_path):
    kinds = (
        torch.int64, torch.float64, torch.float32, torch.int32, torch.bfloat16, torch.float16,
        torch.int16, torch.int8, torch.uint8, torch.bool,
    )  # fmt: skip
    tensors = {f"{place} é": torch.arange(7).to(kind) for place, kind in enumerate(kinds)}
    tensors |= {
        "b": torch.rand(2, 3),
        "a": torch.rand(3),
        "none": torch.zeros(0, 4),
        "scalar": torch.tensor(2),
    }
    seal(tmp_path / "sealed", tensors, {"who": "é"})
    with safe_open(tmp_path / "sealed", framework="pt") as file:
        metadata = file.metadata()
    assert (tmp_path / "sealed").read_bytes() == save(tensors, metadata)
