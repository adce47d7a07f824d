"""Rows of batches, end to end, in a file."""

import torch

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
