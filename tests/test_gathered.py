"""Rows of batches, end to end, in a file."""

import errno
import os

import pytest
import torch

from robustinfo.core.files import DiskError
from robustinfo.core.gathered import gathered


def test_rows_of_batches_are_as_concatenated_and_leave_no_file(tmp_path):
    kinds = (torch.float32, torch.bool, torch.int32, torch.int64, torch.uint8)
    parts = [
        {str(kind): torch.randint(2, (n, 3, 2)).to(kind) for kind in kinds} | {"one": torch.rand(n)}
        for n in (4, 4, 1)
    ]
    found = gathered(iter(parts), 9, tmp_path / "new")
    for name, tensor in found.items():
        assert tensor.equal(torch.cat([part[name] for part in parts]))
        assert tensor.dtype == parts[0][name].dtype
    assert not list((tmp_path / "new").iterdir())


def test_a_full_disk_is_an_error_before_anything_is_written(tmp_path, monkeypatch):
    """Pages of a file that the disk has no room for would end the process by a signal."""

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(DiskError, match="No space left"):
        gathered([{"x": torch.zeros(2)}], 2, tmp_path)
