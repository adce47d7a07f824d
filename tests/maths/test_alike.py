"""Equal rows are found as numpy finds them."""

import numpy as np
import pytest
import torch

from robustinfo.maths.alike import rows_alike


def first_by_numpy(t):
    bits = t.numpy().view(f"i{t.element_size()}")
    _, first, inverse = np.unique(bits, axis=0, return_index=True, return_inverse=True)
    return first[inverse.ravel()].tolist()


def layers():
    draw = torch.Generator().manual_seed(0)
    few = torch.randn(7, 600, generator=draw)[torch.randint(7, (90,), generator=draw)]
    late = torch.zeros(40, 1200)
    late[:, 1100] = torch.arange(40) % 3  # alike in the first blocks of columns
    return {
        "few": few,
        "late": late,
        "all": torch.full((30, 5), -0.3),
        "none": torch.randn(50, 3, generator=draw),
        "one": torch.zeros(1, 1),
        "signs of zero": torch.tensor([[0.0], [-0.0], [0.0]]),
    }


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
@pytest.mark.parametrize("name", layers())
def test_each_row_has_the_first_that_equals_it(name, dtype):
    t = layers()[name].to(dtype)
    before = t.clone()
    assert rows_alike(t).tolist() == first_by_numpy(t)
    assert t.equal(before)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", layers())
def test_on_a_gpu_the_firsts_are_the_same(name):
    t = layers()[name]
    assert rows_alike(t.cuda()).tolist() == rows_alike(t).tolist()
